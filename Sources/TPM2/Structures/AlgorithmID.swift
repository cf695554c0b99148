public import Cryptography

extension TPM {
    /// `TPM_ALG_ID` (Part 2 §6.3; the TCG Algorithm Registry).
    public struct AlgorithmID: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The registered number.
        public let rawValue: UInt16

        /// Any number; unknown ones are kept as they are.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let rsa = Self(rawValue: 0x0001)
        public static let sha1 = Self(rawValue: 0x0004)
        public static let aes = Self(rawValue: 0x0006)
        public static let keyedHash = Self(rawValue: 0x0008)
        public static let sha256 = Self(rawValue: 0x000B)
        public static let sha384 = Self(rawValue: 0x000C)
        public static let sha512 = Self(rawValue: 0x000D)
        public static let null = Self(rawValue: 0x0010)
        public static let sm3 = Self(rawValue: 0x0012)
        public static let rsassa = Self(rawValue: 0x0014)
        public static let rsaes = Self(rawValue: 0x0015)
        public static let rsapss = Self(rawValue: 0x0016)
        public static let oaep = Self(rawValue: 0x0017)
        public static let ecdsa = Self(rawValue: 0x0018)
        public static let ecdh = Self(rawValue: 0x0019)
        public static let ecdaa = Self(rawValue: 0x001A)
        public static let ecc = Self(rawValue: 0x0023)
        public static let symmetricCipher = Self(rawValue: 0x0025)
        public static let sha3x256 = Self(rawValue: 0x0027)
        public static let sha3x384 = Self(rawValue: 0x0028)
        public static let sha3x512 = Self(rawValue: 0x0029)
        public static let cfb = Self(rawValue: 0x0043)

        /// The hash function that this number names, among those that Carnet computes.
        public var hash: HashAlgorithm? {
            switch self {
            case .sha1: .insecureSHA1
            case .sha256: .sha256
            case .sha384: .sha384
            case .sha512: .sha512
            default: nil
            }
        }

        /// The number of a hash function.
        public init(_ hash: HashAlgorithm) {
            switch hash {
            case .insecureSHA1: self = .sha1
            case .sha256: self = .sha256
            case .sha384: self = .sha384
            case .sha512: self = .sha512
            }
        }

        /// The registry's name in lower case (`sha256`, `ecdsa`), or the number in hexadecimal.
        public var description: String { Self.names[self] ?? "0x" + String(rawValue, radix: 16) }

        /// The hash algorithm that ``description`` would print as `name`.
        public init?(hashNamed name: String) {
            guard let algorithm = Self.names.first(where: { $0.value == name })?.key, algorithm.hash != nil else {
                return nil
            }
            self = algorithm
        }

        private static let names: [Self: String] = [
            .rsa: "rsa", .sha1: "sha1", .aes: "aes", .keyedHash: "keyedhash", .sha256: "sha256", .sha384: "sha384",
            .sha512: "sha512", .null: "null", .sm3: "sm3_256", .rsassa: "rsassa", .rsaes: "rsaes", .rsapss: "rsapss",
            .oaep: "oaep", .ecdsa: "ecdsa", .ecdh: "ecdh", .ecdaa: "ecdaa", .ecc: "ecc", .symmetricCipher: "symcipher",
            .sha3x256: "sha3_256", .sha3x384: "sha3_384", .sha3x512: "sha3_512", .cfb: "cfb",
        ]
    }
}
