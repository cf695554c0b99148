public import HTTPTypes
public import StrictEncoding

/// An answer that says why a request was not served (RFC 9457, `application/problem+json`).
///
/// `type` is `tag:carnet.dev,2026:problem/<slug>` and stable. No problem contains an expected secret, and what it repeats of
/// the request is cut to a bounded length.
public struct Problem: Error, Sendable {
    /// The last part of `type`: what a program branches on.
    public let slug: String
    /// The HTTP status.
    public let status: HTTPResponse.Status
    /// What this kind of problem is, for people.
    public let title: String
    /// What is wrong with this request, and what to do.
    public let detail: String
    /// Where in the body the fault is, as in `ek.public`; in the query, `?ak`.
    public let member: String?
    /// More header fields: `Retry-After`, `WWW-Authenticate`, `Allow`.
    public var headers: HTTPFields = [:]
    /// The cause, for the log only. It must not contain nonces, tokens or keys.
    public var cause: String?
    /// Whether all is as it should be although the status says that nobody is served: the log has no error then.
    public var isExpected = false
    /// Writes further members of the body, with names that no problem has.
    public var extensions: (@Sendable (_ writer: inout JSONWriter) -> Void)?

    /// A problem.
    public init(
        _ slug: String, _ status: HTTPResponse.Status, title: String, detail: String, member: String? = nil,
        headers: HTTPFields = [:], cause: String? = nil
    ) {
        self.slug = slug
        self.status = status
        self.title = title
        self.detail = detail.cut(to: 1024)
        self.member = member?.cut(to: 128)
        self.headers = headers
        self.cause = cause
    }

    /// The body. `instance` names the request, so that its log line can be found.
    func body(requestID: String) -> [UInt8] {
        JSONWriter.object { writer in
            writer.string("type", "tag:carnet.dev,2026:problem/" + slug)
            writer.string("title", title)
            writer.integer("status", Int64(status.code))
            writer.string("detail", detail)
            if let member { writer.string("member", member) }
            writer.string("instance", "urn:carnet:request:" + requestID)
            extensions?(&writer)
        }
    }
}

/// An error of another module that has an answer of its own. The module itself has never heard of HTTP.
public protocol ProblemConvertible: Error {
    /// The answer.
    var problem: Problem { get }
}

extension String {
    /// At most `count` characters, with an ellipsis in place of the rest.
    fileprivate func cut(to count: Int) -> String {
        guard utf8.count > count, let end = index(startIndex, offsetBy: count, limitedBy: endIndex), end < endIndex
        else { return self }
        return self[..<end] + "…"
    }
}
