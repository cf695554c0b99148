/// Why a status list or its token cannot be used. Two errors are equal when their codes are.
public struct StatusListError: Error, Equatable, CustomStringConvertible {
    /// What a caller may branch on.
    public enum Code: Sendable, Hashable {
        /// More bytes, entries or lists than are handled.
        case tooLarge
        /// No compact JWS.
        case malformed
        /// A header that no status list token has: another type or algorithm, no `kid`, or a member that could choose a key.
        case header
        /// No key of the issuer has the token's `kid`.
        case unknownKey
        /// The signature is not the issuer's.
        case signature
        /// Claims that are missing, occur twice, or have a value that they may not have.
        case claims
        /// The list is not one whole ZLIB stream of an allowed size.
        case compression
        /// The list could not be compressed or signed.
        case operationFailed
    }

    /// What went wrong.
    public let code: Code
    /// A sentence for people.
    public let reason: String

    /// An error with its reason.
    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// The reason.
    public var description: String { reason }

    /// Whether the codes are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
