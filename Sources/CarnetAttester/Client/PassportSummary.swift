internal import CarnetResult
internal import Foundation
internal import StrictEncoding

/// What the machine itself reads in its passport. It checks nothing: the machine is not the one who has to be convinced.
public struct PassportSummary: Sendable {
    /// The tier, as `affirming`.
    public let status: String
    /// `iat` by the verifier's clock, in seconds since 1970; as `exp` when the passport does not say.
    public let issuedAt: Int64
    /// `exp` by the verifier's clock, in seconds since 1970.
    public let expiresAt: Int64
    /// The state to which the signing key is bound; `nil` for a key that is bound to the TPM only.
    public let signingState: KeyState?
    /// The same for the encryption key.
    public let encryptionState: KeyState?

    /// Reads a passport of at most 64 KiB; `nil` for anything else.
    public init?(_ token: [UInt8]) {
        guard let jws = try? CompactJWS(parsing: token), let payload = Base64URL.decode(jws.payloadSegment),
            let root = try? JSONDocument(parsing: payload, maximumByteCount: 65_536).root,
            let status = root["ear_status"]?.string, let expiresAt = root["exp"]?.integer
        else { return nil }
        self.status = status
        self.expiresAt = expiresAt
        issuedAt = root["iat"]?.integer ?? expiresAt
        let claims = root["submods"]?[AttestationResult.submodule]?["ear_verifier_claims"]
        let stated = ((try? StateBinding(inPassport: token)) ?? nil).flatMap(KeyState.init)
        func state(_ member: String) -> KeyState? {
            claims?[member]?.string == KeyProtection.tpmState.rawValue ? stated : nil
        }
        signingState = state("key_protection")
        encryptionState = state("enc_key_protection")
    }

    /// Whether the machine is what the policy allows.
    public var isAffirming: Bool { status == "affirming" }

    /// How long it was made for, `exp` − `iat` in seconds: 0 to a day, whatever it says.
    public var lifetime: Int64 {
        let (lifetime, overflow) = expiresAt.subtractingReportingOverflow(issuedAt)
        return overflow ? 0 : min(max(lifetime, 0), 86_400)
    }

    /// When it expires, as people write it.
    public var expiry: String { Date(timeIntervalSince1970: TimeInterval(expiresAt)).formatted(.iso8601) }
}
