/// Why a passport or a proof was not accepted. Two refusals are equal when their codes are.
public struct Refusal: Error, Equatable, CustomStringConvertible {
    /// What a caller may branch on; the raw value is stable.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        case tooLarge = "too-large"
        case malformed = "malformed"
        case encrypted = "encrypted"
        case header = "header"
        case type = "type"
        case algorithm = "algorithm"
        case unknownKey = "unknown-key"
        case signature = "signature"
        case duplicateMember = "duplicate-member"
        case claims = "claims"
        case issuer = "issuer"
        case audience = "audience"
        case expired = "expired"
        case notYetValid = "not-yet-valid"
        case tooOld = "too-old"
        case lifetime = "lifetime"
        case profile = "profile"
        case submodule = "submodule"
        case tier = "tier"
        case vector = "vector"
        case policy = "policy"
        case depth = "depth"
        case nonce = "nonce"
        case binding = "binding"
        case keyProtection = "key-protection"
        case nodeLabel = "node-label"
        case phase = "phase"
        case customClaim = "custom-claim"
        case revocation = "revocation"
        case revoked = "revoked"
        case suspended = "suspended"
        case statusUnknown = "status-unknown"
        case statusExpired = "status-expired"
        case statusStale = "status-stale"
        case bundleTime = "bundle-time"
        case keysStale = "keys-stale"
        case proof = "proof"
        case proofRequest = "proof-request"
        case proofTime = "proof-time"
        case proofNonce = "proof-nonce"
        case proofKey = "proof-key"
        case proofReplayed = "proof-replayed"
        case proofLimit = "proof-limit"
        case challenge = "challenge"
        case noEncryptionKey = "no-encryption-key"
        case encryptionFailed = "encryption-failed"
    }

    public let code: Code
    /// What was expected and what was found, for people. It holds no secret.
    public let reason: String
    /// What to do about it.
    public let nextStep: String
    /// For ``Code/proofNonce``: the nonce for the next try, where the server gives nonces. It belongs into `DPoP-Nonce`.
    public let freshNonce: String?

    init(_ code: Code, _ reason: String, nextStep: String, freshNonce: String? = nil) {
        self.code = code
        self.reason = reason
        self.nextStep = nextStep
        self.freshNonce = freshNonce
    }

    /// The reason and the next step.
    public var description: String { "\(reason). \(nextStep)." }

    /// Whether the codes are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
