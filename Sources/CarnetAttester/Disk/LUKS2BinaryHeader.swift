internal import Cryptography

/// The binary part of one copy of a LUKS2 header: 4,096 bytes, big-endian (LUKS2 On-Disk Format Specification 1.1.4, §2.1).
struct LUKS2BinaryHeader: Sendable, Hashable {
    static let byteCount = 4096
    /// The sizes that a copy may have, this part included: 16 KiB to 4 MiB, in powers of two.
    static let copyByteCounts: Set<Int> = Set((14...22).map { 1 << $0 })
    private static let magics: [[UInt8]] = [
        Array("LUKS".utf8) + [0xBA, 0xBE], Array("SKUL".utf8) + [0xBA, 0xBE],
    ]
    private static let checksumRange = 448..<512

    /// How many bytes the copy has, JSON included.
    let copyByteCount: Int
    /// Counts up with every change.
    let sequence: UInt64
    /// The volume's UUID as text.
    let uuid: String
    let label: String

    /// Reads one copy.
    ///
    /// - Parameters:
    ///   - copy: The copy from its first byte on, at least ``byteCount`` bytes; what is behind it is not looked at.
    ///   - offset: Where the copy lies in the volume: 0 for the first, and its size for the second.
    init(parsing copy: ArraySlice<UInt8>, at offset: Int) throws(LUKS2Error) {
        let bytes = Array(copy.prefix(Self.byteCount))
        guard bytes.count == Self.byteCount, bytes.starts(with: Self.magics[offset == 0 ? 0 : 1]) else {
            throw LUKS2Error(.none, "there is no LUKS header")
        }
        guard bytes[6] == 0, bytes[7] == 2 else {
            throw LUKS2Error(.none, "the LUKS header is of version \(Int(bytes[6]) << 8 | Int(bytes[7])); 2 is read")
        }
        let size = Self.integer(bytes[8..<16])
        guard let count = Int(exactly: size), Self.copyByteCounts.contains(count) else {
            throw .damaged("the header says that it has \(size) bytes, which none has")
        }
        guard Self.integer(bytes[256..<264]) == UInt64(offset), offset == 0 || offset == count else {
            throw .damaged("the header is of another place of the volume")
        }
        copyByteCount = count
        sequence = Self.integer(bytes[16..<24])
        label = try Self.text(bytes[24..<72], "the label")
        uuid = try Self.text(bytes[168..<208], "the UUID")
        guard copy.count >= count else { throw .damaged("the volume ends within its header") }
        let algorithm = try Self.text(bytes[72..<104], "the checksum's algorithm")
        guard let hash = LUKS2Rules.hash(algorithm) else {
            throw .refused("the header's checksum is by \(algorithm), and not by SHA-2")
        }
        let found = bytes[Self.checksumRange].prefix(hash.byteCount)
        guard constantTimeEqual(Array(found), Self.checksum(Array(copy.prefix(count)), hash)),
            bytes[Self.checksumRange].dropFirst(hash.byteCount).allSatisfy({ $0 == 0 })
        else { throw .damaged("the header's checksum is wrong") }
    }

    /// The first copy's bytes as the second: its own magic, its place, its checksum (SHA-256).
    static func secondCopy(of first: [UInt8]) -> [UInt8] {
        var copy = first
        copy.replaceSubrange(0..<6, with: magics[1])
        for index in 0..<8 { copy[256 + index] = UInt8(truncatingIfNeeded: first.count >> (56 - 8 * index)) }
        return sealed(copy)
    }

    /// The second copy's bytes as the first.
    static func firstCopy(of second: [UInt8]) -> [UInt8] {
        var copy = second
        copy.replaceSubrange(0..<6, with: magics[0])
        for index in 0..<8 { copy[256 + index] = 0 }
        return sealed(copy)
    }

    private static func sealed(_ copy: [UInt8]) -> [UInt8] {
        var copy = copy
        let name = Array("sha256".utf8)
        copy.replaceSubrange(72..<104, with: name + [UInt8](repeating: 0, count: 32 - name.count))
        let sum = checksum(copy, .sha256)
        copy.replaceSubrange(checksumRange, with: sum + [UInt8](repeating: 0, count: checksumRange.count - sum.count))
        return copy
    }

    private static func checksum(_ copy: [UInt8], _ hash: HashAlgorithm) -> [UInt8] {
        var copy = copy
        for index in checksumRange { copy[index] = 0 }
        return hash.hash(copy)
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    /// Printable ASCII up to a zero, with zeros behind it.
    private static func text(_ bytes: ArraySlice<UInt8>, _ what: String) throws(LUKS2Error) -> String {
        let text = bytes.prefix { $0 != 0 }
        guard text.count < bytes.count, bytes.dropFirst(text.count).allSatisfy({ $0 == 0 }),
            text.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw .damaged("\(what) is no text") }
        return String(decoding: text, as: UTF8.self)
    }
}
