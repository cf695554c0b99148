import CarnetClient
import CarnetAttester
import CarnetResult
import Foundation
import StrictEncoding

/// What the machine itself reads in its passport. It checks nothing: the machine is not the one who has to be convinced.
struct PassportSummary {
    let status: String
    let expiresAt: Int64
    /// The state to which the signing key is bound; `nil` for a key that is bound to the TPM only.
    let signingState: KeyState?
    /// The same for the encryption key.
    let encryptionState: KeyState?

    init?(_ token: [UInt8]) {
        guard let jws = try? CompactJWS(parsing: token), let payload = Base64URL.decode(jws.payloadSegment),
            let root = try? JSONDocument(parsing: payload, maximumByteCount: 65_536).root,
            let status = root["ear_status"]?.string, let expiresAt = root["exp"]?.integer
        else { return nil }
        self.status = status
        self.expiresAt = expiresAt
        let claims = root["submods"]?[AttestationResult.submodule]?["ear_verifier_claims"]
        let stated = ((try? StateBinding(inPassport: token)) ?? nil).flatMap(KeyState.init)
        func state(_ member: String) -> KeyState? {
            claims?[member]?.string == KeyProtection.tpmState.rawValue ? stated : nil
        }
        signingState = state("key_protection")
        encryptionState = state("enc_key_protection")
    }

    var expiry: String { Date(timeIntervalSince1970: TimeInterval(expiresAt)).formatted(.iso8601) }
}
