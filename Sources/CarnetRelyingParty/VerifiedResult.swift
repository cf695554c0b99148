public import CarnetResult
internal import Cryptography

/// A passport that was checked: signed by the issuer's key, in time, for this audience, and good enough.
///
/// Only ``PassportVerifier`` makes one. It says who is trustworthy; that the one who shows it is that machine takes a proof
/// (``PassportVerifier/prove(_:by:of:nonce:at:)``).
public struct VerifiedResult: Sendable {
    /// The verifier; empty when the token names none and was allowed to.
    public let issuer: String
    /// The machine's enrolment, a URI; empty when the token names none and was allowed to.
    public let subject: String
    /// The token's `jti`; empty when the token has none and was allowed to.
    public let tokenID: String
    let times: TokenTimes
    /// The profile by which the token was read.
    public let profile: EARProfile
    public let nonce: [UInt8]?
    /// The status of the whole.
    public let status: TrustTier
    /// The required submodules.
    public let submodules: [String: VerifiedSubmodule]
    /// The thumbprint of the key that the holder must prove; empty, so that no key can be proven, when the token is bound to none.
    public let keyThumbprint: String
    /// The SHA-256 of the one certificate with which the holder may connect (`x5t#S256`, RFC 8705 §3.1); `nil` where the token names none.
    public let certificateHash: [UInt8]?
    /// What is known of its revocation, and how long ago that was so.
    public internal(set) var revocation: RevocationCheck
    /// Whether the trust bundle that brought the keys counted for good or in its grace; `nil` when the keys came otherwise.
    public internal(set) var bundle: BundleFreshness?
    let token: [UInt8]

    /// Seconds since 1970.
    public var issuedAt: Int64 { times.issuedAt }
    /// Seconds since 1970; before it the result is worth nothing.
    public var notBefore: Int64 { times.notBefore }
    /// Seconds since 1970; after it the result is worth nothing.
    public var expiresAt: Int64 { times.expiresAt }

    /// The digest that a proof carries as `ath`.
    var tokenHash: [UInt8] { HashAlgorithm.sha256.hash(token) }
}

extension VerifiedResult: CustomStringConvertible, CustomReflectable {
    /// Who, and how trustworthy. The token itself is never printed.
    public var description: String { "\(subject) is \(status.rawValue) until \(expiresAt), as \(issuer) says" }

    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

/// What a checked passport says about one submodule.
public struct VerifiedSubmodule: Sendable {
    public let status: TrustTier
    public let vector: TrustworthinessVector
    public let policyIDs: [String]
    public let depth: AppraisalDepth
    public let keyProtection: KeyProtection
    /// The key to which secrets may be encrypted; its point is checked when something is.
    public let encryptionKey: BoundEncryptionKey?
    /// What the verifier's operator calls the machine, as far as the verifier says it.
    public let nodeLabels: [String: String]
    /// The phases that the boot has reached, in their order: words in PCR 11 that the logs confirm. `nil` where the verifier does not say.
    public let phases: [String]?
    /// What the machine said of its Secure Boot state, if it was believable.
    public let secureBoot: Bool?
}
