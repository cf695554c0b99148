public import CarnetResult
internal import CarnetEvidence
internal import StrictEncoding
internal import TPM2

/// A passport as the machine holds it, and what the machine itself reads in it. It checks nothing: the machine is not the one who has to be
/// convinced.
public struct HeldPassport: Sendable {
    /// The compact JWS, in ASCII.
    public let token: [UInt8]
    /// Whose it is (`sub`).
    public let subject: String
    /// `affirming`, or a worse tier.
    public let status: String
    /// In seconds since 1970.
    public let expiresAt: Int64
    /// The state that the passport states; `nil` where it states none.
    public let state: KeyState?
    /// The state to which the signing key is bound; `nil` for a key that is bound to the TPM only.
    public let signingState: KeyState?
    /// The same for the encryption key.
    public let encryptionState: KeyState?

    /// Reads a passport; `nil` for anything else.
    public init?(_ token: [UInt8]) {
        guard let jws = try? CompactJWS(parsing: token), let payload = Base64URL.decode(jws.payloadSegment),
            let root = try? JSONDocument(parsing: payload, maximumByteCount: 65_536).root,
            let subject = root["sub"]?.string, let status = root["ear_status"]?.string,
            let expiresAt = root["exp"]?.integer
        else { return nil }
        self.token = token
        self.subject = subject
        self.status = status
        self.expiresAt = expiresAt
        let claims = root["submods"]?[AttestationResult.submodule]?["ear_verifier_claims"]
        let stated = ((try? StateBinding(inPassport: token)) ?? nil).flatMap(KeyState.init)
        func state(_ member: String) -> KeyState? {
            claims?[member]?.string == KeyProtection.tpmState.rawValue ? stated : nil
        }
        self.state = stated
        signingState = state("key_protection")
        encryptionState = state("enc_key_protection")
    }
}

extension TPMDevice {
    /// Proves possession of a passport's key for one request.
    ///
    /// - Throws: ``TPMDeviceError/Code/stateChanged`` for a passport that is dead since a PCR changed.
    public func proof(
        for request: ProvenRequest, showing passport: HeldPassport, with state: AttesterState, nonce: String? = nil,
        issuedAt: Int64
    ) throws -> PossessionProof {
        let key = try signingKey(unique: state.signingUnique, state: passport.signingState)
        defer { key.close() }
        return try PossessionProof(
            for: request, showing: passport.token, key: JSONWebKey(key.publicArea.publicKey()), nonce: nonce,
            issuedAt: issuedAt
        ) { try sign(digest: $0, with: key) }
    }

    /// Opens a compact JWE with the encryption key of a state.
    ///
    /// - Parameters:
    ///   - keyState: The state to which the key is bound, as the passport has it.
    ///   - recipientInfo: What the message must answer; `nil` accepts any.
    /// - Throws: ``CarnetResult/JOSEError``, or what the TPM says, which tells more than that the key agreement failed.
    public func decrypt(
        _ message: [UInt8], with state: AttesterState, keyState: KeyState?, recipientInfo: [UInt8]?
    ) throws -> [UInt8] {
        let key = try encryptionKey(unique: state.encryptionUnique, state: keyState)
        defer { key.close() }
        var refusal: TPMDeviceError?
        do {
            return try SecretMessage.open(message, recipientInfo: recipientInfo) { point in
                do throws(TPMDeviceError) {
                    return try sharedSecret(x: point.x, y: point.y, with: key)
                } catch {
                    refusal = error
                    throw error
                }
            }
        } catch {
            if let refusal { throw refusal }
            throw error
        }
    }
}
