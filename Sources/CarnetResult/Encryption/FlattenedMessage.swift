internal import Cryptography
internal import StrictEncoding

/// A secret encrypted to a P-256 key as key-broker clients read it: flattened JSON JWE, `ECDH-ES+A256KW` with `A256GCM`
/// (RFC 7516 §7.2.2, RFC 7518 §4.6), without `apu` and `apv`.
///
/// Nothing in it says what it answers, as ``SecretMessage`` does: whoever can exchange messages on their way can give the guest an older
/// secret that was encrypted to the same key.
public enum FlattenedMessage {
    /// Encrypts `secret` to `recipient`.
    ///
    /// - Returns: A JSON object with `protected`, `encrypted_key`, `iv`, `ciphertext` and `tag`.
    public static func seal(_ secret: [UInt8], to recipient: JSONWebKey) throws(JOSEError) -> [UInt8] {
        guard secret.count <= SecretMessage.maximumSecretByteCount else {
            throw .invalidMessage(
                "the secret has \(secret.count) bytes; at most \(SecretMessage.maximumSecretByteCount) are encrypted")
        }
        do {
            let ephemeral = try PrivateKey.generate(.p256)
            let ephemeralKey = try JSONWebKey(ephemeral.publicKey)
            let contentKey = SecureRandom.bytes(32), nonce = SecureRandom.bytes(12)
            let wrappingKey = SecretMessage.deriveKey(
                try ephemeral.sharedSecret(with: recipient.publicKey()), recipientInfo: [])
            let encryptedKey = try AESKeyWrap.wrap(contentKey, key: wrappingKey)
            let header = Base64URL.encode(
                JSONWriter.object { writer in
                    writer.string("alg", "ECDH-ES+A256KW")
                    writer.string("enc", "A256GCM")
                    writer.object("epk") { ephemeralKey.writeMembers(to: &$0) }
                })
            let sealed = try AESGCM.seal(secret, key: contentKey, nonce: nonce, authenticating: Array(header.utf8))
            return JSONWriter.object { writer in
                writer.string("protected", header)
                writer.base64URL("encrypted_key", encryptedKey)
                writer.base64URL("iv", nonce)
                writer.base64URL("ciphertext", sealed.ciphertext)
                writer.base64URL("tag", sealed.tag)
            }
        } catch let error as JOSEError {
            throw error
        } catch {
            throw .operationFailed("the secret could not be encrypted: \(error)")
        }
    }
}
