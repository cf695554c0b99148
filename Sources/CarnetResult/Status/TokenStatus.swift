/// What a status list says about one token (draft-ietf-oauth-status-list-21 §7.1): a number that fits in the list's width.
public struct TokenStatus: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The number, 0 to 255.
    public let rawValue: UInt8

    /// The status with a number; any is one.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The token stands: what a list says of every index that nobody touched.
    public static let valid = TokenStatus(rawValue: 0)
    /// The token is withdrawn for good.
    public static let invalid = TokenStatus(rawValue: 1)
    /// The token does not count now, and may again.
    public static let suspended = TokenStatus(rawValue: 2)

    /// The registered name in lower case, or the number.
    public var description: String {
        switch self {
        case .valid: "valid"
        case .invalid: "revoked"
        case .suspended: "suspended"
        default: "status \(rawValue)"
        }
    }
}
