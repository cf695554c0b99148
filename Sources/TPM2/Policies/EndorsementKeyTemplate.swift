public import Cryptography

extension TPM {
    /// The templates from which endorsement keys are made (TCG EK Credential Profile 2.6, Annex B), and their policies.
    public enum EndorsementKeyTemplate: Sendable, CaseIterable {
        /// L-1: RSA 2048, SHA-256, AES-128.
        case rsa2048
        /// L-2: ECC P-256, SHA-256, AES-128.
        case eccP256

        /// Where the certificate of the key made from this template is stored.
        public var certificateIndex: UInt32 {
            switch self {
            case .rsa2048: 0x01C0_0002
            case .eccP256: 0x01C0_000A
            }
        }

        /// The template, its `unique` zero as the profile's default is.
        public var publicArea: Public {
            let key: Public.Key =
                switch self {
                case .rsa2048: .rsa(bits: 2048, exponent: 0, modulus: [UInt8](repeating: 0, count: 256))
                case .eccP256:
                    .ecc(curve: .p256, x: [UInt8](repeating: 0, count: 32), y: [UInt8](repeating: 0, count: 32))
                }
            return Public(
                attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .adminWithPolicy, .restricted, .decrypt],
                authPolicy: Self.policyA(.sha256).bytes, symmetric: .aesCFB(bits: 128), key: key)
        }

        /// PolicyA: PolicySecret of the endorsement hierarchy.
        public static func policyA(_ hash: HashAlgorithm) -> PolicyDigest {
            PolicyDigest(hash).secret(of: Hierarchy.endorsement.handleBytes)
        }

        /// PolicyC: the policy stored in the NV index 0x01C07F01 (…02 for SHA-384, …03 for SHA-512).
        public static func policyC(_ hash: HashAlgorithm) -> PolicyDigest {
            let last: UInt32 = hash == .sha512 ? 3 : hash == .sha384 ? 2 : 1
            var writer = Writer()
            writer.uint32(0x01C0_7F00 + last)
            writer.uint16(AlgorithmID(hash).rawValue)
            writer.uint32(0x220F_1008)
            writer.sized(policyA(hash).bytes)
            writer.uint16(UInt16(2 + hash.byteCount))
            var name = Writer()
            name.uint16(AlgorithmID(hash).rawValue)
            name.raw(hash.hash(writer.bytes))
            return PolicyDigest(hash).authorizeNV(indexName: name.bytes)
        }

        /// PolicyB: PolicyA or PolicyC, as the high-range templates have it.
        public static func policyB(_ hash: HashAlgorithm) -> PolicyDigest {
            PolicyDigest(hash).or([policyA(hash), policyC(hash)])
        }
    }
}
