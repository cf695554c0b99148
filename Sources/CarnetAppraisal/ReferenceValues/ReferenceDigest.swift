public import Cryptography
public import MeasurementLogs
internal import StrictEncoding

/// A digest with its hash function, of those that prove something: SHA-256, SHA-384 and SHA-512.
///
/// Its text is the algorithm's name, a colon and lower-case hexadecimal digits, as in `sha256:9f86…`; there is no other spelling.
public struct ReferenceDigest: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The hash function.
    public let algorithm: HashAlgorithm
    /// The digest, as long as the algorithm makes it.
    public let bytes: [UInt8]

    /// A digest; `nil` for SHA-1 and for a length that is not the algorithm's.
    public init?(_ algorithm: HashAlgorithm, _ bytes: some Collection<UInt8>) {
        guard algorithm != .insecureSHA1, bytes.count == algorithm.byteCount else { return nil }
        self.algorithm = algorithm
        self.bytes = Array(bytes)
    }

    /// The digest that a text spells; `nil` for everything else.
    public init?(_ text: String) {
        guard let (name, algorithm) = Self.names.first(where: { text.utf8.starts(with: $0.name.utf8) }) else {
            return nil
        }
        let digits = text.utf8.dropFirst(name.utf8.count)
        guard digits.first == UInt8(ascii: ":"), !digits.contains(where: { (0x41...0x46).contains($0) }),
            let bytes = Hexadecimal.decode(Substring(digits.dropFirst()))
        else { return nil }
        self.init(algorithm, bytes)
    }

    /// The digest's text.
    public var description: String {
        (Self.names.first { $0.algorithm == algorithm }?.name ?? "") + ":" + Hexadecimal.encode(bytes)
    }

    /// The same digest as IMA's lists have it, of a file's content.
    public var imaDigest: IMADigest? {
        switch algorithm {
        case .sha256: IMADigest(.file, .sha256, bytes)
        case .sha384: IMADigest(.file, .sha384, bytes)
        case .sha512: IMADigest(.file, .sha512, bytes)
        case .insecureSHA1: nil
        }
    }

    /// By length, then by bytes.
    public static func < (left: Self, right: Self) -> Bool {
        left.bytes.count != right.bytes.count
            ? left.bytes.count < right.bytes.count : left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    private static let names: [(name: String, algorithm: HashAlgorithm)] = [
        ("sha256", .sha256), ("sha384", .sha384), ("sha512", .sha512),
    ]
}
