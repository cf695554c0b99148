/// A digest with its hash function and what it is the digest of. It is held in place: comparing and looking it up allocate nothing.
public struct IMADigest: Sendable, Hashable, CustomStringConvertible {
    /// What was hashed. A digest of one kind never stands for another: a file may hold exactly what another kind hashes.
    public enum Kind: UInt8, Sendable, Hashable {
        /// A file's content.
        case file
        /// A file's fs-verity descriptor.
        case verity
        /// A buffer in the kernel's memory: a key, a command line, a device table.
        case buffer
    }

    public let kind: Kind
    public let algorithm: IMADigestAlgorithm
    private let words: Words

    /// Up to 64 bytes, big-endian in each word, zeros behind them.
    private struct Words: Hashable {
        var first: UInt64 = 0, second: UInt64 = 0, third: UInt64 = 0, fourth: UInt64 = 0
        var fifth: UInt64 = 0, sixth: UInt64 = 0, seventh: UInt64 = 0, eighth: UInt64 = 0

        var all: [UInt64] { [first, second, third, fourth, fifth, sixth, seventh, eighth] }
    }

    // All bytes: who writes an allow list may choose digests of which any part is the same.
    public func hash(into hasher: inout Hasher) { hasher.combine(words) }

    /// A digest; `nil` unless `bytes` is as long as the algorithm makes it.
    public init?(_ kind: Kind = .file, _ algorithm: IMADigestAlgorithm, _ bytes: some Collection<UInt8>) {
        guard bytes.count == algorithm.byteCount else { return nil }
        self = Array(bytes).withUnsafeBytes { IMADigest(kind, algorithm, unchecked: $0) }
    }

    /// A digest of bytes that are as long as the algorithm makes it.
    private init(_ kind: Kind, _ algorithm: IMADigestAlgorithm, unchecked bytes: UnsafeRawBufferPointer) {
        func word(_ number: Int) -> UInt64 {
            let start = 8 * number
            if start + 8 <= bytes.count {
                return UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            }
            guard start < bytes.count else { return 0 }
            // Four bytes of SHA-1 and SHA-224 are left.
            return (start..<(start + 8)).reduce(0) { $0 << 8 | ($1 < bytes.count ? UInt64(bytes[$1]) : 0) }
        }
        self.kind = kind
        self.algorithm = algorithm
        var words = Words(first: word(0), second: word(1), third: word(2), fourth: word(3))
        if bytes.count > 32 {
            words.fifth = word(4)
            words.sixth = word(5)
            words.seventh = word(6)
            words.eighth = word(7)
        }
        self.words = words
    }

    private init(_ kind: Kind, of digest: IMADigest) {
        self.kind = kind
        algorithm = digest.algorithm
        words = digest.words
    }

    /// The same bytes as the digest of something else.
    func of(_ kind: Kind) -> IMADigest { IMADigest(kind, of: self) }

    /// The digest's bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        for word in words.all {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return Array(bytes.prefix(algorithm.byteCount))
    }

    /// The algorithm's name, a colon, and lower-case hexadecimal digits; the kind stands before what is not a file's.
    public var description: String {
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return (kind == .file ? "" : "\(kind):") + algorithm.name + ":" + digits
    }

    /// A field `d-ng` (`sha256:`, a zero, the digest) or `d-ngv2` (`ima:` or `verity:` before it); `nil` for anything else.
    init?(field: ArraySlice<UInt8>) {
        let read = field.withUnsafeBytes { Self.read($0) }
        guard let read else { return nil }
        self = read
    }

    private static func read(_ field: UnsafeRawBufferPointer) -> IMADigest? {
        // The longest words before the zero are `verity:streebog256:`.
        guard let zero = (0..<min(field.count, 24)).first(where: { field[$0] == 0 }), zero > 1, field[zero - 1] == 0x3A
        else { return nil }
        var name = 0..<(zero - 1), kind = Kind.file
        if let colon = name.first(where: { field[$0] == 0x3A }) {
            let prefix = field[..<colon]
            if prefix.elementsEqual("verity".utf8) {
                kind = .verity
            } else if !prefix.elementsEqual("ima".utf8) {
                return nil
            }
            name = (colon + 1)..<(zero - 1)
        }
        guard let algorithm = IMADigestAlgorithm(name: field[name]), field.count - zero - 1 == algorithm.byteCount
        else { return nil }
        return IMADigest(kind, algorithm, unchecked: UnsafeRawBufferPointer(rebasing: field[(zero + 1)...]))
    }
}
