import Cryptography
import Fixtures
import MeasurementLogs
import Testing

/// An image made by hand: headers of 1,024 bytes, two sections, and what follows.
struct SmallImage {
    var bytes: [UInt8]
    static let header = 64, optional = 88, entry = optional + 112 + 32, table = optional + 240

    init(sections: [(String, [UInt8])], trailing: [UInt8] = [], certificates: [UInt8] = []) {
        bytes = [UInt8](repeating: 0, count: 1024)
        put(Array("MZ".utf8), 0)
        put(Self.number(Self.header), 0x3C)
        put([0x50, 0x45, 0, 0, 0x64, 0x86, UInt8(sections.count), 0], Self.header)
        put([240, 0], Self.header + 20)
        put([0x0B, 0x02], Self.optional)
        put(Self.number(1024), Self.optional + 60)
        put([0xC, 0xC, 0xC, 0xC], Self.optional + 64)
        put(Self.number(16), Self.optional + 108)
        for (index, (name, content)) in sections.enumerated() {
            let entry = Self.table + index * 40
            put(Array(name.utf8), entry)
            put(Self.number(content.count), entry + 8)
            let padded = content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
            put(Self.number(padded.count), entry + 16)
            put(Self.number(padded.isEmpty ? 0 : bytes.count), entry + 20)
            bytes += padded
        }
        bytes += trailing
        if !certificates.isEmpty {
            put(Self.number(bytes.count) + Self.number(certificates.count), Self.entry)
            bytes += certificates
        }
    }

    static func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    mutating func put(_ new: [UInt8], _ offset: Int) { bytes.replaceSubrange(offset..<(offset + new.count), with: new) }

    static let good = SmallImage(
        sections: [(".text", Array("code".utf8)), (".linux", Array("kernel".utf8)), (".bss", [])],
        trailing: [1, 2, 3, 4, 5, 6, 7, 8], certificates: [UInt8](repeating: 9, count: 16))
}

@Suite("PE images")
struct PEImageTests {
    @Test("Sections are listed, and their content is without the file's padding")
    func reads() throws {
        let image = try PEImage(parsing: SmallImage.good.bytes)
        #expect(image.sections.map(\.name) == [".text", ".linux", ".bss"] && image.isSigned)
        #expect(image.content(ofSection: ".linux").map { Array($0) } == Array("kernel".utf8))
        #expect(image.content(ofSection: ".initrd") == nil && image.content(ofSection: ".bss")?.count == 0)
    }

    @Test(
        "The digest covers every byte but checksum, certificates and where they are", arguments: HashAlgorithm.allCases)
    func coverage(algorithm: HashAlgorithm) throws {
        let good = SmallImage.good, digest = try PEImage(parsing: good.bytes).authenticodeDigest(algorithm)
        let checksum = (SmallImage.optional + 64)..<(SmallImage.optional + 68)
        let certificates = (good.bytes.count - 16)..<good.bytes.count
        for offset in good.bytes.indices {
            var changed = good.bytes
            changed[offset] ^= 0x10
            guard let image = try? PEImage(parsing: changed) else { continue }
            let isLeftOut = checksum.contains(offset) || certificates.contains(offset)
            #expect((image.authenticodeDigest(algorithm) == digest) == isLeftOut, "byte \(offset)")
        }
        // Signing changes nothing: neither certificates nor their entry are covered.
        var unsigned = good
        unsigned.put([UInt8](repeating: 0, count: 8), SmallImage.entry)
        #expect(
            try PEImage(parsing: Array(unsigned.bytes.dropLast(16))).authenticodeDigest(algorithm) == digest)
    }

    @Test("The order of the section table does not matter, that of the file does")
    func order() throws {
        var exchanged = SmallImage.good
        let first = Array(exchanged.bytes[SmallImage.table..<(SmallImage.table + 40)])
        let second = Array(exchanged.bytes[(SmallImage.table + 40)..<(SmallImage.table + 80)])
        exchanged.put(second + first, SmallImage.table)
        let image = try PEImage(parsing: exchanged.bytes)
        var expected = exchanged.bytes
        expected.removeSubrange((expected.count - 16)...)
        expected.removeSubrange(SmallImage.entry..<(SmallImage.entry + 8))
        expected.removeSubrange((SmallImage.optional + 64)..<(SmallImage.optional + 68))
        #expect(image.authenticodeDigest(.sha256) == HashAlgorithm.sha256.hash(expected))
    }

    static let spoiled: [(String, [(Int, [UInt8])])] = [
        ("no MZ", [(0, [0])]), ("no PE", [(SmallImage.header, [0])]),
        ("a header in the DOS stub", [(0x3C, [8, 0, 0, 0])]),
        ("a header past the end", [(0x3C, [0xFF, 0xFF, 0xFF, 0xFF])]),
        ("no sections", [(SmallImage.header + 6, [0, 0])]),
        ("97 sections", [(SmallImage.header + 6, [97, 0])]),
        ("no optional header", [(SmallImage.header + 20, [0, 0])]),
        ("a short optional header", [(SmallImage.header + 20, [111, 0])]),
        ("another magic", [(SmallImage.optional, [7, 1])]),
        ("17 directories", [(SmallImage.optional + 108, [17])]),
        ("headers before the section table's end", [(SmallImage.optional + 60, [0, 1, 0, 0])]),
        ("headers past the end", [(SmallImage.optional + 60, [0, 0, 0, 1])]),
        ("headers that reach into a section", [(SmallImage.optional + 60, [0, 5, 0, 0])]),
        ("a section past the end", [(SmallImage.table + 20, [0, 0, 1, 0])]),
        ("a section of four billion bytes", [(SmallImage.table + 16, [0xFF, 0xFF, 0xFF, 0xFF])]),
        ("sections that overlap", [(SmallImage.table + 60, [0, 4, 0, 0])]),
        ("a section in the headers", [(SmallImage.table + 20, [0, 1, 0, 0])]),
        ("a name that is not ASCII", [(SmallImage.table, [0xC3])]),
        ("certificates before the end", [(SmallImage.entry + 4, [15])]),
        ("certificates past the end", [(SmallImage.entry + 4, [17])]),
        ("certificates of no bytes", [(SmallImage.entry + 4, [0])]),
        ("certificates in a section", [(SmallImage.entry, SmallImage.number(1536) + SmallImage.number(536))]),
    ]

    @Test("Images that firmware could hash otherwise are refused", arguments: spoiled.indices)
    func refused(index: Int) {
        let (what, changes) = Self.spoiled[index]
        var image = SmallImage.good
        for (offset, bytes) in changes { image.put(bytes, offset) }
        #expect(throws: PEImageError.self, "\(what)") { try PEImage(parsing: image.bytes) }
    }

    @Test("An image cut anywhere is refused")
    func truncation() {
        let bytes = SmallImage.good.bytes
        for count in 0..<bytes.count {
            #expect(throws: PEImageError.self) { try PEImage(parsing: Array(bytes.prefix(count))) }
        }
        #expect(throws: PEImageError.self) { try PEImage(parsing: bytes + [0]) }
    }

    @Test("Two sections of one name are none")
    func ambiguous() throws {
        let image = SmallImage(sections: [(".linux", [1]), (".linux", [2])])
        #expect(try PEImage(parsing: image.bytes).content(ofSection: ".linux") == nil)
    }
}
