public import Cryptography

/// A hash function that the kernel may name in an IMA entry (`hash_algo_name` and `enum hash_algo` in Linux).
public enum IMADigestAlgorithm: UInt8, Sendable, Hashable, CaseIterable {
    // The numbers are the kernel's: signatures carry them.
    case md5 = 1
    case sha1 = 2
    case ripemd160 = 3
    case sha256 = 4
    case sha384 = 5
    case sha512 = 6
    case sha224 = 7
    case sm3 = 17
    case streebog256 = 18
    case streebog512 = 19
    case sha3x256 = 20
    case sha3x384 = 21
    case sha3x512 = 22

    /// The length of a digest, in bytes.
    public var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha1, .ripemd160: 20
        case .sha224: 28
        case .sha256, .sm3, .streebog256, .sha3x256: 32
        case .sha384, .sha3x384: 48
        case .sha512, .streebog512, .sha3x512: 64
        }
    }

    /// The kernel's name. SM3 has had three.
    public var name: String { Self.names.first { $0.algorithm == self }?.text ?? "\(self)" }

    /// The hash, where Carnet computes it.
    public var hash: HashAlgorithm? {
        switch self {
        case .sha1: .insecureSHA1
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        default: nil
        }
    }

    /// Whether nobody can make two files with one digest. Nothing is allowed by a digest of another hash.
    public var isCollisionResistant: Bool { byteCount >= 32 }

    /// The algorithm of a name as the kernel writes it.
    public init?(name: some Collection<UInt8>) {
        guard let packed = Name(name), let found = Self.names.first(where: { $0.packed == packed }) else { return nil }
        self = found.algorithm
    }

    /// At most 16 bytes as two numbers: every entry of a list names an algorithm.
    private struct Name: Equatable {
        private var low: UInt64 = 0, high: UInt64 = 0

        init?(_ bytes: some Collection<UInt8>) {
            guard (1...16).contains(bytes.count) else { return nil }
            for byte in bytes {
                high = high << 8 | low >> 56
                low = low << 8 | UInt64(byte)
            }
        }
    }

    private static let names: [(text: String, packed: Name?, algorithm: IMADigestAlgorithm)] = spellings.map {
        ($0.text, Name($0.text.utf8), $0.algorithm)
    }

    private static let spellings: [(text: String, algorithm: IMADigestAlgorithm)] = [
        ("sha256", .sha256), ("sha1", .sha1), ("sha512", .sha512), ("sha384", .sha384), ("sha224", .sha224),
        ("md5", .md5), ("rmd160", .ripemd160), ("sm3", .sm3), ("sm3-256", .sm3), ("sm3_256", .sm3),
        ("streebog256", .streebog256), ("streebog512", .streebog512), ("sha3-256", .sha3x256),
        ("sha3-384", .sha3x384), ("sha3-512", .sha3x512),
    ]
}
