import Cryptography
import Fixtures
import MeasurementLogs
import Testing

@Suite("Reading IMA lists")
struct IMAListTests {
    @Test("What is written is read back")
    func roundTrip() throws {
        let list = try IMAList(parsing: IMASamples.list().bytes, startingAt: 40)
        #expect(list.count == 8 && list[0].index == 40 && list[7].index == 47 && list[7].position == 7)
        #expect(
            list.entries.map(\.untrustedTemplateName) == [
                "ima-sig", "ima-sig", "ima-ng", "ima-sig", "ima-sig", "ima-buf", "ima-sigv2", "ima-ngv2",
            ])
        #expect(list.entries.allSatisfy { $0.pcr == 10 && $0.statesTrueDigest && !$0.isLegacy })
        #expect(list.entries.map(\.isViolation) == [false, false, false, false, true, false, false, false])
        #expect(list[5].fields.map(Array.init)[2] == Array("name=root;verity".utf8))
    }

    @Test("The template digest of ima-ng is that of the published vector")
    func vector() throws {
        var builder = IMAListBuilder()
        builder.addFile("/usr/bin/true", try IMASamples.digest("x"))
        let entry = try IMAList(parsing: builder.bytes)[0]
        #expect(entry.statedDigest.hex == "4ec459859f6ebfd3e75f884322dba78e3fd000f0")
        #expect(
            HashAlgorithm.sha256.hash(entry.hashedData).hex
                == "7e2f46aedf14e3c0ea6a5645bc0fa52c833260845e3c9af0662feef88a022751")
    }

    @Test("The template ima hashes its name padded to 256 bytes")
    func legacy() throws {
        var builder = IMAListBuilder()
        let digest = [UInt8](hex: "19f13b42c2745066347e76454788c0fe083643f3")
        builder.addLegacyFile("/init", sha1: digest)
        let entry = try IMAList(parsing: builder.bytes)[0]
        // An entry of Keylime's history (ascii_runtime_measurements_ima).
        #expect(entry.statedDigest.hex == "83519a71fe7500a3ae575f8f6c7160d96c4e2a15")
        #expect(entry.isLegacy && entry.hashedData.count == 276)
        guard case .file(let file) = entry.content else { throw Unexpected() }
        #expect(file.digest == IMADigest(.file, .sha1, digest) && file.name.matches("/init"))
    }

    @Test("No bytes are a list without entries")
    func empty() throws { #expect(try IMAList(parsing: []).count == 0) }

    @Test("A list cut anywhere but between two entries is refused")
    func truncation() throws {
        let bytes = try IMASamples.list().bytes
        let lengths = try IMASamples.pieces(bytes).map(\.count)
        let ends = Set(lengths.indices.map { lengths[...$0].reduce(0, +) } + [0])
        for count in 0...bytes.count {
            let isRead = (try? IMAList(parsing: Array(bytes.prefix(count)))) != nil
            #expect(isRead == ends.contains(count), "\(count) bytes")
        }
    }

    /// A list of one `ima-ng` entry and the offsets of its parts: PCR 0, digest 4, name 24, data 34.
    static func one() throws -> [UInt8] {
        var builder = IMAListBuilder()
        builder.addFile("/init", try IMASamples.digest("init"))
        return builder.bytes
    }

    @Test(
        "Lengths that lie are refused, and the error names the entry and the byte",
        arguments: [
            ([(0, 24)], IMAListError.malformed(entry: 5, offset: 0, reason: "belongs to PCR 24, which does not exist")),
            ([(3, 1)], .malformed(entry: 5, offset: 0, reason: "belongs to PCR 16777226, which does not exist")),
            (
                [(24, 0)],
                .malformed(entry: 5, offset: 24, reason: "has a template name of 0 bytes; 1 to 255 are read")
            ),
            (
                [(25, 1)],
                .malformed(entry: 5, offset: 24, reason: "has a template name of 262 bytes; 1 to 255 are read")
            ),
            ([(24, 255)], .truncated(entry: 5, offset: 28, field: "template name")),
            ([(28, 0x20)], .malformed(entry: 5, offset: 28, reason: "has a template name that is not text")),
            ([(28, 0xC3)], .malformed(entry: 5, offset: 28, reason: "has a template name that is not text")),
            ([(34, 0)], .malformed(entry: 5, offset: 38, reason: "has a field without its length")),
            ([(34, 3)], .malformed(entry: 5, offset: 38, reason: "has a field without its length")),
            (
                [(34, 12)],
                .malformed(entry: 5, offset: 38, reason: "has a field of 40 bytes that runs past its data")
            ),
            ([(34, 0x80)], .truncated(entry: 5, offset: 38, field: "template data")),
            ([(37, 0xFF)], .tooLarge("entry 5 has 4278190134 bytes; at most 1048576 are read")),
            (
                [(38, 0x29)],
                .malformed(entry: 5, offset: 83, reason: "has a field of 788529152 bytes that runs past its data")
            ),
            (
                [(41, 0xFF)],
                .malformed(entry: 5, offset: 38, reason: "has a field of 4278190120 bytes that runs past its data")
            ),
        ] as [([(Int, UInt8)], IMAListError)])
    func lengths(changes: [(Int, UInt8)], expected: IMAListError) throws {
        var bytes = try Self.one()
        for (offset, value) in changes { bytes[offset] = value }
        #expect(throws: expected) { try IMAList(parsing: bytes, startingAt: 5) }
        #expect(!expected.description.isEmpty)
    }

    @Test("More than 15 fields, or none, are refused")
    func fieldCounts() throws {
        var builder = IMAListBuilder()
        builder.add(template: "many", fields: Array(repeating: [1], count: 15))
        #expect(try IMAList(parsing: builder.bytes)[0].fields.count == 15)
        builder = IMAListBuilder()
        builder.add(template: "many", fields: Array(repeating: [], count: 16))
        #expect(throws: IMAListError.self) { try IMAList(parsing: builder.bytes) }
        builder = IMAListBuilder()
        builder.add(template: "none", fields: [])
        #expect(throws: IMAListError.self) { try IMAList(parsing: builder.bytes) }
    }

    @Test("The template ima has at most 255 bytes of name, none of them zero")
    func legacyNames() throws {
        var builder = IMAListBuilder()
        builder.addLegacyFile(String(repeating: "a", count: 300), sha1: [UInt8](repeating: 1, count: 20))
        #expect(try IMAList(parsing: builder.bytes)[0].hashedData.last == 0)
        var bytes = builder.bytes
        // 4 + 20 + 4 + 3 + 20: the length of the name.
        bytes[51] = 0
        bytes[52] = 1
        #expect(throws: IMAListError.self) { try IMAList(parsing: bytes + [0x61]) }
        bytes = builder.bytes
        bytes[55] = 0
        #expect(throws: IMAListError.malformed(entry: 0, offset: 55, reason: "has a zero in its file name")) {
            try IMAList(parsing: bytes)
        }
    }

    @Test("What exceeds the limits is not read")
    func limits() throws {
        let bytes = try IMASamples.list().bytes
        func limits(_ bytes: Int, _ entries: Int, _ data: Int) -> IMAList.Limits {
            IMAList.Limits(maximumByteCount: bytes, maximumEntryCount: entries, maximumDataByteCount: data)
        }
        #expect(try IMAList(parsing: bytes, limits: limits(bytes.count, 8, 90)).count == 8)
        for limits in [limits(bytes.count - 1, 8, 90), limits(bytes.count, 7, 90), limits(bytes.count, 8, 50)] {
            #expect(throws: IMAListError.self) { try IMAList(parsing: bytes, limits: limits) }
        }
        #expect(throws: IMAListError.self) { try IMAList(parsing: bytes, startingAt: -1) }
        #expect(throws: IMAListError.self) { try IMAList(parsing: bytes, startingAt: .max) }
    }

    @Test("Any one changed byte is read or refused, and nothing traps")
    func mutations() throws {
        let bytes = try IMASamples.list().bytes
        let allowed = try IMAAllowList(digests: [IMASamples.digest("init")])
        for offset in bytes.indices {
            for mask: UInt8 in [0x01, 0x80, 0xFF] {
                var changed = bytes
                changed[offset] ^= mask
                guard let list = try? IMAList(parsing: changed) else { continue }
                for entry in list.entries { _ = (allowed.verdict(of: entry), entry.statesTrueDigest) }
            }
        }
    }

    struct Unexpected: Error {}
}
