public import HTTPTypes
public import Logging

/// A request that was let in: its caller has the right credential, its body is complete and within the route's limits.
public struct ServiceRequest: Sendable {
    /// The request's identifier, made here and never taken from the caller.
    public let id: String
    /// The method.
    public let method: HTTPRequest.Method
    /// The header fields.
    public let headers: HTTPFields
    /// The parameters of the query.
    public let query: QueryParameters
    /// The whole body.
    public let body: [UInt8]
    /// Who calls; `nil` on public and attesters' routes.
    public let principal: Principal?
    /// Which process of this machine calls, on a socket of Unix; `nil` on all others, and where the kernel does not tell.
    public let peer: LocalPeer?
    /// A logger that adds the request's identifier.
    public let logger: Logger
    let parameters: [String: String]

    /// The body's media type without parameters, in lower case.
    public var mediaType: String? { headers[.contentType].map(MediaTypes.essence) }

    /// A part of the path, by its name in the route's template. At most 1024 bytes.
    ///
    /// - Throws: ``Problem`` when it is longer than anything that could exist here.
    public func pathParameter(_ name: String) throws(Problem) -> String {
        guard let value = parameters[name], value.utf8.count <= 1024 else {
            throw .notFound("There is no such resource.")
        }
        return value
    }
}

enum MediaTypes {
    /// The type without its parameters (RFC 9110 §8.3.1).
    static func essence(_ value: String) -> String {
        let essence = value.prefix { $0 != ";" }.lowercased()
        return String(essence.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
