internal import Cryptography
internal import StrictEncoding

/// A secret encrypted to a P-256 key: compact JWE, `ECDH-ES+A256KW` with `A256GCM` (RFC 7516, RFC 7518 §4.6).
public enum SecretMessage {
    /// The longest secret, in bytes.
    public static let maximumSecretByteCount = 65_536

    /// What a message that answers a proof of possession carries as `apv`: SHA-256(passportHash ‖ proofID), 32 bytes.
    ///
    /// - Parameters:
    ///   - passportHash: SHA-256 of the passport as sent, the `ath` of the proof.
    ///   - proofID: The proof's `jti`.
    public static func recipientInfo(passportHash: [UInt8], proofID: String) -> [UInt8] {
        HashAlgorithm.sha256.hash(passportHash, Array(proofID.utf8))
    }

    /// The same for a proof and the passport that it showed, both in ASCII; `nil` when the first is not a JWS with a `jti`.
    public static func recipientInfo(of proof: [UInt8], showing passport: [UInt8]) -> [UInt8]? {
        guard let jws = try? CompactJWS(parsing: proof), let payload = Base64URL.decode(jws.payloadSegment),
            let root = try? JSONDocument(parsing: payload, maximumByteCount: 16_384).root,
            let proofID = root["jti"]?.string
        else { return nil }
        return recipientInfo(passportHash: HashAlgorithm.sha256.hash(passport), proofID: proofID)
    }

    /// Encrypts `secret` to `recipient`.
    ///
    /// - Parameter recipientInfo: What the message is for; it enters the key derivation as `apv`, so a message that is relabelled
    ///   does not open.
    public static func seal(
        _ secret: [UInt8], to recipient: JSONWebKey, recipientInfo: [UInt8]
    ) throws(JOSEError) -> [UInt8] {
        guard secret.count <= maximumSecretByteCount else {
            throw .invalidMessage(
                "the secret has \(secret.count) bytes; at most \(maximumSecretByteCount) are encrypted")
        }
        do {
            let ephemeral = try PrivateKey.generate(.p256)
            let ephemeralKey = try JSONWebKey(ephemeral.publicKey)
            let sharedSecret = try ephemeral.sharedSecret(with: recipient.publicKey())
            let contentKey = SecureRandom.bytes(32), nonce = SecureRandom.bytes(12)
            let wrappingKey = deriveKey(sharedSecret, recipientInfo: recipientInfo)
            let encryptedKey = try AESKeyWrap.wrap(contentKey, key: wrappingKey)
            let header = JSONWriter.object { writer in
                writer.string("alg", "ECDH-ES+A256KW")
                writer.string("enc", "A256GCM")
                writer.object("epk") { ephemeralKey.writeMembers(to: &$0) }
                writer.base64URL("apv", recipientInfo)
            }
            var message: [UInt8] = []
            Base64URL.append(header, to: &message)
            let sealed = try AESGCM.seal(secret, key: contentKey, nonce: nonce, authenticating: message)
            for part in [encryptedKey, nonce, sealed.ciphertext, sealed.tag] {
                message.append(UInt8(ascii: "."))
                Base64URL.append(part, to: &message)
            }
            return message
        } catch let error as JOSEError {
            throw error
        } catch {
            throw .operationFailed("the secret could not be encrypted: \(error)")
        }
    }

    /// Opens a message with a key that may live in a TPM.
    ///
    /// - Parameters:
    ///   - recipientInfo: What the message must be for (`apv`); `nil` accepts any.
    ///   - agree: Computes the x coordinate, 32 bytes, of the recipient's private key times the given point, which has been checked to
    ///     lie on the curve.
    public static func open(
        _ message: [UInt8], recipientInfo: [UInt8]? = nil, agree: (_ peer: JSONWebKey) throws -> [UInt8]
    ) throws(JOSEError) -> [UInt8] {
        guard message.count <= 2 * maximumSecretByteCount else { throw .invalidMessage("the message is too long") }
        let segments = message.split(separator: UInt8(ascii: "."), maxSplits: 5, omittingEmptySubsequences: false)
        guard segments.count == 5 else {
            throw .invalidMessage(
                "a compact JWE has five segments; this has \(segments.count > 5 ? "more" : "\(segments.count)")")
        }
        guard let encryptedKey = Base64URL.decode(segments[1]), let nonce = Base64URL.decode(segments[2]),
            let ciphertext = Base64URL.decode(segments[3]), let tag = Base64URL.decode(segments[4])
        else { throw .invalidMessage("a segment is not base64url without padding") }
        let header = try Header(segment: segments[0])
        if let recipientInfo, !constantTimeEqual(header.recipientInfo, recipientInfo) {
            throw .notAuthentic("the message is for another request (apv)")
        }
        let sharedSecret: [UInt8]
        do {
            sharedSecret = try agree(header.ephemeralKey)
        } catch {
            throw .operationFailed("the key agreement failed: \(error)")
        }
        guard sharedSecret.count == 32 else { throw .operationFailed("the key agreement gave no 32 bytes") }
        do {
            let wrappingKey = deriveKey(
                sharedSecret, producerInfo: header.producerInfo, recipientInfo: header.recipientInfo)
            let contentKey = try AESKeyWrap.unwrap(encryptedKey, key: wrappingKey)
            guard contentKey.count == 32 else { throw JOSEError.invalidMessage("the content key has not 256 bits") }
            return try AESGCM.open(
                ciphertext, tag: tag, key: contentKey, nonce: nonce, authenticating: Array(segments[0]))
        } catch let error as JOSEError {
            throw error
        } catch {
            throw .notAuthentic("the message was changed, or is for another key")
        }
    }

    /// Concat KDF (RFC 7518 §4.6.2) for a 256-bit key; AlgorithmID is the `alg`, as key wrapping wants it.
    static func deriveKey(
        _ sharedSecret: [UInt8], algorithm: String = "ECDH-ES+A256KW", producerInfo: [UInt8] = [],
        recipientInfo: [UInt8],
        bits: UInt32 = 256
    ) -> [UInt8] {
        func sized(_ bytes: [UInt8]) -> [UInt8] { bigEndian(UInt32(clamping: bytes.count)) + bytes }
        let digest = HashAlgorithm.sha256.hash(
            bigEndian(1), sharedSecret, sized(Array(algorithm.utf8)), sized(producerInfo), sized(recipientInfo),
            bigEndian(bits))
        return Array(digest.prefix(Int(bits / 8)))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
    }
}
