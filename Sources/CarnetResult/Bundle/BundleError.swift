/// Why a trust bundle cannot be used. Two errors are equal when their codes are.
public struct BundleError: Error, Equatable, CustomStringConvertible {
    /// What a caller may branch on; the raw value is stable.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// More bytes, keys, lists or links than are handled.
        case tooLarge = "too-large"
        /// No compact JWS.
        case malformed = "malformed"
        /// A header that no bundle has: another type or algorithm, or a member that could choose a key.
        case header = "header"
        /// Members that are missing, occur twice, are not known, or have a value that they may not have.
        case content = "content"
        /// A key signed that nobody trusted allowed to: a link of the chain is missing, or the key was replaced.
        case untrustedSigner = "untrusted-signer"
        /// The signature is not by the key that is named.
        case signature = "signature"
        /// The bundle has another name than the one that is trusted.
        case name = "name"
        /// An older bundle than one that was accepted before.
        case rollback = "rollback"
        /// Another bundle with the sequence number of one that was accepted before.
        case fork = "fork"
        /// The bundle and its grace have ended.
        case expired = "expired"
        /// The bundle was made in the future.
        case notYetValid = "not-yet-valid"
        /// The relying party demands what the bundle's minimum policy excludes, or an issuer that the bundle does not have.
        case expectations = "expectations"
        /// The bundle could not be signed.
        case operationFailed = "operation-failed"
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
