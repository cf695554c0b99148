/// Why a request to the API server did not succeed: the server's own `Status`, or that there was none.
package struct KubernetesError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller may branch on.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// No answer came: the connection failed, or the time was up. A write may have been done all the same.
        case unreachable
        /// 400, 415, 422 and their like: the same request never succeeds.
        case invalid
        /// 401: the credential is none, or no longer.
        case unauthorized
        /// 403: the account may not, or an admission webhook refused.
        case forbidden
        /// 404.
        case notFound = "not-found"
        /// 409: the object was changed since it was read, or one of the name is there.
        case conflict
        /// 410: what a watch or a list goes on from is no longer kept.
        case gone
        /// 429.
        case tooManyRequests = "too-many-requests"
        /// Any status from 500 on.
        case server
        /// An answer that cannot be read, or is larger than any that is read.
        case unreadable
    }

    package let code: Code
    /// The HTTP status; 0 without an answer.
    package let status: Int
    /// `Status.reason`, as `AlreadyExists`; empty when the server says none.
    package let reason: String
    /// `Status.message`, or what went wrong, for people. At most 512 characters.
    package let message: String
    /// After how many seconds to try again, where the server says so; at most 300.
    package let retryAfter: Int?

    /// An error.
    package init(_ code: Code, status: Int = 0, reason: String = "", _ message: String, retryAfter: Int? = nil) {
        self.code = code
        self.status = status
        self.reason = reason
        self.message = String(message.prefix(512))
        self.retryAfter = retryAfter
    }

    /// An error by what the API server answered.
    package init(status: Int, body: [UInt8], retryAfter field: String? = nil) {
        let value = try? JSONValue(parsing: body)
        let details = value?["details"]?["retryAfterSeconds"]?.integer
        let seconds = field.flatMap { Int($0) } ?? details.flatMap { Int(exactly: $0) }
        self.init(
            Self.code(status), status: status, reason: value?["reason"]?.string ?? "",
            value?["message"]?.string ?? "HTTP status \(status)", retryAfter: seconds.map { min(max($0, 0), 300) })
    }

    private static func code(_ status: Int) -> Code {
        switch status {
        case 401: .unauthorized
        case 403: .forbidden
        case 404: .notFound
        case 409: .conflict
        case 410: .gone
        case 429: .tooManyRequests
        case 500...: .server
        default: .invalid
        }
    }

    /// Whether the same request may succeed later.
    package var mayHeal: Bool {
        switch code {
        case .invalid, .notFound: false
        default: true
        }
    }

    /// The message, and the status where there is one.
    package var description: String { status == 0 ? message : "\(message) (\(status) \(reason))" }
}
