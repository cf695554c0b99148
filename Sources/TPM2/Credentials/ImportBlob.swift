public import Cryptography

extension TPM {
    /// A sealed secret that one TPM can import under one of its storage keys, and unseals while a policy holds (Part 1 §23.3.2.3;
    /// Part 3 §13.3, "TPM2_Import").
    ///
    /// The three parts carry their sizes, as tpm2-tools keeps them in files.
    public struct ImportBlob: Sendable, Hashable {
        /// The longest secret, in bytes: what every TPM seals (Part 2 §11.1.14, `MAX_SYM_DATA`).
        public static let maximumSecretByteCount = 128
        /// What the object may do: nothing but be unsealed by its policy. Its password does not open it (userWithAuth is clear), and
        /// wrong attempts lock nothing out.
        public static let attributes: ObjectAttributes = [.noDA]

        /// `TPM2B_PUBLIC`: the object's public area, with the policy in it.
        public let publicArea: [UInt8]
        /// `TPM2B_PRIVATE`: an HMAC, and the sensitive area under AES-CFB.
        public let duplicate: [UInt8]
        /// `TPM2B_ENCRYPTED_SECRET`: the seed, agreed with the storage key.
        public let encryptedSeed: [UInt8]

        /// A blob from its parts, each with its size.
        public init(publicArea: [UInt8], duplicate: [UInt8], encryptedSeed: [UInt8]) {
            self.publicArea = publicArea
            self.duplicate = duplicate
            self.encryptedSeed = encryptedSeed
        }

        /// Wraps `secret` for the TPM that holds `parent`, as TPM2_Create and TPM2_Duplicate of an object without inner wrapping would.
        ///
        /// - Parameters:
        ///   - secret: 1 to 128 bytes.
        ///   - policy: What has to hold when the secret is unsealed; SHA-256.
        ///   - authValue: The object's password, at most 32 bytes. It does not unseal; who knows it can tell that the object has it.
        ///     Zeros at its end are left out, as a TPM does (Part 1 §19.6.4.3).
        ///   - parent: A storage key's public area.
        /// - Throws: ``CryptographyError`` for a length that does not fit, and when the parent is no usable storage key.
        public static func make(
            _ secret: [UInt8], policy: PolicyDigest, authValue: [UInt8] = [], for parent: Public
        ) throws(CryptographyError) -> ImportBlob {
            guard (1...maximumSecretByteCount).contains(secret.count) else {
                throw CryptographyError(
                    .invalidLength, "a sealed object holds 1 to \(maximumSecretByteCount) bytes, not \(secret.count)")
            }
            guard policy.hash == .sha256, authValue.count <= policy.hash.byteCount else {
                throw CryptographyError(.invalidLength, "a sealed object's policy and password fit SHA-256")
            }
            guard parent.attributes.isSuperset(of: [.restricted, .decrypt]), !parent.attributes.contains(.sign) else {
                throw CryptographyError(.invalidKey, "the parent is no storage key: its attributes differ")
            }
            let obfuscation = SecureRandom.bytes(policy.hash.byteCount)
            let area = publicArea(policy, unique: policy.hash.hash(obfuscation, secret))
            let name = Name(policy.hash, of: area)
            let seed = try Seed.make(for: parent, label: "DUPLICATE")
            let protection = try Protection(seed: seed.value, name: name, parent: parent)
            let ciphertext = try protection.encrypt(sensitive(secret, obfuscation, authValue))
            var duplicate = Writer()
            duplicate.sized(protection.authenticationCode(ciphertext))
            duplicate.raw(ciphertext)
            return ImportBlob(
                publicArea: Credential.sized(area), duplicate: Credential.sized(duplicate.bytes),
                encryptedSeed: Credential.sized(seed.encrypted))
        }

        /// A password as a TPM keeps it: without the zeros at its end.
        public static func significant(_ authValue: [UInt8]) -> [UInt8] {
            Array(authValue.dropLast(authValue.reversed().prefix { $0 == 0 }.count))
        }

        /// `TPMT_PUBLIC` of a sealed data object (Part 2 §12.2.3.3): KEYEDHASH without a scheme.
        private static func publicArea(_ policy: PolicyDigest, unique: [UInt8]) -> [UInt8] {
            var writer = Writer()
            writer.uint16(AlgorithmID.keyedHash.rawValue)
            writer.uint16(AlgorithmID(policy.hash).rawValue)
            writer.uint32(attributes.rawValue)
            writer.sized(policy.bytes)
            writer.uint16(AlgorithmID.null.rawValue)
            writer.sized(unique)
            return writer.bytes
        }

        /// `TPM2B_SENSITIVE` (Part 2 §12.3.2.4), its size included: the size is encrypted too.
        private static func sensitive(_ secret: [UInt8], _ obfuscation: [UInt8], _ authValue: [UInt8]) -> [UInt8] {
            var writer = Writer()
            writer.uint16(AlgorithmID.keyedHash.rawValue)
            writer.sized(significant(authValue))
            writer.sized(obfuscation)
            writer.sized(secret)
            return Credential.sized(writer.bytes)
        }
    }
}
