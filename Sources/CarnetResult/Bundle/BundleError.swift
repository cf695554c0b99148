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

    /// What to do about it, for whoever was given the bundle.
    public var nextStep: String { code.nextStep }

    /// The reason.
    public var description: String { reason }

    /// Whether the codes are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension BundleError.Code {
    fileprivate var nextStep: String {
        switch self {
        case .tooLarge: "Ask its maker for one with fewer lists and links"
        case .malformed: "Copy the file again from where it was made; it is one line, with nothing before or after it"
        case .header: "Give the bundle itself, not a passport, a status list, a link or a proof"
        case .content:
            "Copy the file again from where it was made; if that does not help, its maker has to make another"
        case .untrustedSigner:
            "Compare the root key's thumbprint with its maker over another way; a machine that missed some bundles needs one that still has their links"
        case .signature: "Copy the file again from where it was made"
        case .name: "Give a bundle of the name that this machine follows; remember another name in a place of its own"
        case .rollback: "Get the newest bundle from its maker"
        case .fork: "Ask its maker which of the two is right: nobody should make two of one number"
        case .expired: "Get the next bundle from its maker, and compare this machine's clock"
        case .notYetValid: "Compare this machine's clock with the maker's"
        case .expectations: "Change what is demanded here, or get a bundle that fits it"
        case .operationFailed: "Try again; if that does not help, look at the key"
        }
    }
}
