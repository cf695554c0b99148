import HTTPTypes
import StrictEncoding

extension Problem {
    /// A body, a parameter or a member that cannot be read, or has a value that no such request may have.
    public static func malformed(_ detail: String, member: String? = nil) -> Problem {
        Problem("malformed-request", .badRequest, title: "The request cannot be read", detail: detail, member: member)
    }

    /// There is no such thing.
    public static func notFound(_ detail: String) -> Problem {
        Problem("not-found", .notFound, title: "Not found", detail: detail)
    }

    /// What is asked for contradicts what is there.
    public static func conflict(_ slug: String, title: String, _ detail: String, member: String? = nil) -> Problem {
        Problem(slug, .conflict, title: title, detail: detail, member: member)
    }

    /// The service cannot do its work now; nothing was changed. `cause` goes to the log only.
    public static func unavailable(_ detail: String, retryAfter seconds: Int = 5, cause: String? = nil) -> Problem {
        Problem(
            "unavailable", .serviceUnavailable, title: "The service cannot do this now", detail: detail,
            headers: [.retryAfter: String(seconds)], cause: cause)
    }

    /// No credential, or one that nobody holds: the answer does not tell which.
    static let unauthenticated = Problem(
        "unauthenticated", .unauthorized, title: "A credential is needed",
        detail: "Send an API token that is valid here: Authorization: Bearer <token>.",
        headers: [.wwwAuthenticate: "Bearer realm=\"carnet\""])

    /// A credential that was good once. Only who holds it learns of it.
    ///
    /// - Parameter end: When it expired, in seconds since 1970.
    public static func credentialExpired(at end: Int64) -> Problem {
        Problem(
            "credential-expired", .unauthorized, title: "The credential has expired",
            detail:
                "It was good until \(RFC3339.format(end)), and stays refused. An administrator gives out a new one.",
            headers: [
                .wwwAuthenticate: "Bearer realm=\"carnet\", error=\"invalid_token\", error_description=\"expired\""
            ])
    }

    /// A certificate of the client's that proves nothing here. Only who holds its key learns why.
    static func certificateRefused(_ reason: String) -> Problem {
        Problem(
            "certificate-refused", .unauthorized, title: "The certificate is not accepted",
            detail: "The TLS client's certificate is not accepted: \(reason).",
            headers: [.wwwAuthenticate: "Bearer realm=\"carnet\""])
    }

    /// A good certificate of somebody who has no role.
    static let certificateUnknown = Problem(
        "forbidden", .forbidden, title: "The credential is for something else",
        detail: "None of the certificate's names has a role here.")

    /// A good credential for something else.
    static func forbidden(_ role: Role) -> Problem {
        Problem(
            "forbidden", .forbidden, title: "The credential is for something else",
            detail: "An API token with the role \(role.rawValue) may not call this.")
    }

    /// A body longer than the route reads.
    static func tooLarge(limit: Int) -> Problem {
        Problem(
            "too-large", .contentTooLarge, title: "The body is too large",
            detail: limit == 0 ? "This call has no body." : "At most \(limit) bytes are read.",
            headers: [.connection: "close"])
    }

    /// A body of another kind than the route reads.
    static func unsupportedMediaType(_ accepted: [String]) -> Problem {
        let list = accepted.joined(separator: ", ")
        return Problem(
            "unsupported-media-type", .unsupportedMediaType, title: "The body is of another kind",
            detail: "Send Content-Type: \(list), without Content-Encoding.", headers: [.accept: list])
    }

    /// A request for an answer of a kind that there is not.
    static func notAcceptable(_ offers: [String]) -> Problem {
        Problem(
            "not-acceptable", .notAcceptable, title: "There is no answer of that kind",
            detail: "This call answers with \(offers.joined(separator: " or ")); its Accept has to allow one of them.")
    }

    /// A path that exists, with other methods.
    static func methodNotAllowed(_ allowed: String) -> Problem {
        Problem(
            "method-not-allowed", .methodNotAllowed, title: "Another method is needed", detail: "Use \(allowed).",
            headers: [.allow: allowed])
    }

    /// A fault of the service. The caller learns the request's identifier, the log the rest.
    static func `internal`(cause: String) -> Problem {
        Problem(
            "internal", .internalServerError, title: "The service failed",
            detail: "The fault is the service's. Its log has the cause under this request's identifier.", cause: cause)
    }
}
