public import Cryptography

extension TPM {
    /// A secret that only one TPM can read, and only for one key in it (Part 1 §24, "Credential Protection").
    public struct Credential: Sendable, Hashable {
        /// `TPM2B_ID_OBJECT`, its size included: an HMAC, and the secret under AES-CFB.
        public let idObject: [UInt8]
        /// `TPM2B_ENCRYPTED_SECRET`, its size included: the seed, encrypted to the endorsement key.
        public let encryptedSecret: [UInt8]

        /// A credential from its two parts, each with its size.
        public init(idObject: [UInt8], encryptedSecret: [UInt8]) {
            self.idObject = idObject
            self.encryptedSecret = encryptedSecret
        }

        /// Wraps `secret` for the TPM that holds `endorsementKey` and a key of the name `name`, as TPM2_MakeCredential does.
        ///
        /// - Parameter secret: 1 byte to the length of the endorsement key's name digest.
        /// - Throws: ``CryptographyError`` when the endorsement key is no storage key or its public key is unusable.
        public static func make(
            _ secret: [UInt8], for name: Name, in endorsementKey: Public
        ) throws(CryptographyError) -> Credential {
            let hash = endorsementKey.nameAlgorithm
            guard (1...hash.byteCount).contains(secret.count) else {
                throw CryptographyError(.invalidLength, "a credential's secret has 1 to \(hash.byteCount) bytes")
            }
            let seed = try Seed.make(for: endorsementKey, label: "IDENTITY")
            let protection = try Protection(seed: seed.value, name: name, parent: endorsementKey)
            var plaintext = Writer()
            plaintext.sized(secret)
            let identity = try protection.encrypt(plaintext.bytes)
            var content = Writer()
            content.sized(protection.authenticationCode(identity))
            content.raw(identity)
            return Credential(idObject: sized(content.bytes), encryptedSecret: sized(seed.encrypted))
        }

        /// The bytes of a file as tpm2-tools writes and reads it: 0xBADCC0DE, version 1, and both parts.
        public var toolsFile: [UInt8] { [0xBA, 0xDC, 0xC0, 0xDE, 0, 0, 0, 1] + idObject + encryptedSecret }

        /// Reads such a file.
        public init(parsingToolsFile bytes: [UInt8]) throws(ParseError) {
            var reader = Reader(bytes)
            let magic = try reader.uint32("magic")
            guard magic == 0xBADC_C0DE else {
                throw .invalid(field: "magic", reason: "is not that of a tpm2-tools credential")
            }
            let version = try reader.uint32("version")
            guard version == 1 else { throw .unsupported(field: "version", value: version) }
            idObject = Self.sized(try reader.sized("credentialBlob", maximum: 256))
            encryptedSecret = Self.sized(try reader.sized("secret", maximum: 512))
            try reader.end()
        }

        static func sized(_ content: [UInt8]) -> [UInt8] {
            var writer = Writer()
            writer.sized(content)
            return writer.bytes
        }
    }
}
