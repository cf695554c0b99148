public import HTTPTypes

/// An answer: status, header fields and a body that is complete.
public struct ServiceResponse: Sendable {
    /// The HTTP status.
    public var status: HTTPResponse.Status
    /// The header fields. Answers are not stored by caches unless they say so themselves.
    public var headers: HTTPFields
    /// The body.
    public var body: [UInt8]

    /// An answer with a body of a given media type.
    public init(
        _ status: HTTPResponse.Status = .ok, _ mediaType: String, _ body: [UInt8], headers: HTTPFields = [:]
    ) {
        self.status = status
        self.headers = headers
        self.headers[.contentType] = mediaType
        self.body = body
    }

    /// A JSON text, written by a `JSONWriter`.
    public static func json(_ body: [UInt8], status: HTTPResponse.Status = .ok) -> ServiceResponse {
        ServiceResponse(status, "application/json", body)
    }

    /// Done, and nothing to say (204).
    public static var noContent: ServiceResponse {
        var response = ServiceResponse(.noContent, "", [])
        response.headers[.contentType] = nil
        return response
    }
}
