import CarnetTesting
import Cryptography
import TPM2

extension SimulatedTPM {
    /// TPM2_ActivateCredential, written from TPM 2.0 Library, Part 1, "Credential Protection", and Annex C.6: opens a credential for
    /// this endorsement key and this attestation key.
    ///
    /// - Throws: When the credential is for others.
    package func open(credential: [UInt8], encryptedSecret: [UInt8]) throws -> [UInt8] {
        var point = try Fields.content(encryptedSecret)
        let ephemeral = try PublicKey(.p256, x: point.sized(), y: point.sized())
        let seed = HashAlgorithm.sha256.hash(
            UInt32(1).bigEndianBytes + (try endorsementKey.sharedSecret(with: ephemeral)),
            Array("IDENTITY\u{0}".utf8) + (try ephemeral.coordinates.x) + (try endorsementKey.publicKey.coordinates.x))
        var object = try Fields.content(credential)
        let code = try object.sized()
        let name = attestationArea.name.bytes
        let expected = HMAC.authenticationCode(
            .sha256, key: Self.derive(seed, "INTEGRITY", [], bits: 256), object.rest, name)
        guard code == expected else {
            throw CryptographyError(.authenticationFailed, "the credential is for another key")
        }
        let plaintext = try AESCFB.decrypt(
            object.rest, key: Self.derive(seed, "STORAGE", name, bits: 128), iv: [UInt8](repeating: 0, count: 16))
        var fields = Fields(rest: plaintext)
        return try fields.sized()
    }

    /// KDFa (SP 800-108, counter mode) for at most one block.
    private static func derive(_ seed: [UInt8], _ label: String, _ context: [UInt8], bits: UInt32) -> [UInt8] {
        let block = HMAC.authenticationCode(
            .sha256, key: seed, UInt32(1).bigEndianBytes, Array(label.utf8) + [0], context, bits.bigEndianBytes)
        return Array(block.prefix(Int(bits / 8)))
    }

    /// TPM2B fields, one after another.
    private struct Fields {
        var rest: [UInt8]

        /// The fields inside one TPM2B.
        static func content(_ bytes: [UInt8]) throws -> Fields {
            var outer = Fields(rest: bytes)
            return Fields(rest: try outer.sized())
        }

        mutating func sized() throws -> [UInt8] {
            guard rest.count >= 2, rest.count >= 2 + (Int(rest[0]) << 8 | Int(rest[1])) else {
                throw CryptographyError(.invalidLength, "a TPM2B is truncated")
            }
            let count = Int(rest[0]) << 8 | Int(rest[1])
            defer { rest.removeFirst(2 + count) }
            return Array(rest[2..<2 + count])
        }
    }
}
