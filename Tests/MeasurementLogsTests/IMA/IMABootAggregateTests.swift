import Cryptography
import MeasurementLogs
import Testing

@Suite("The boot aggregate")
struct IMABootAggregateTests {
    /// PCR values that a quote might hold.
    static func pcr(_ hash: HashAlgorithm, _ index: Int) -> [UInt8] { hash.hash([UInt8(index)]) }

    static func aggregate(_ hash: HashAlgorithm, through last: Int) -> [UInt8] {
        hash.hash((0...last).flatMap { pcr(hash, $0) })
    }

    static func check(
        _ algorithm: IMADigestAlgorithm, _ bytes: [UInt8], name: String = "boot_aggregate",
        kind: IMADigest.Kind = .file,
        startingAt index: Int = 0, covering count: Int = 1, quoted: (HashAlgorithm, Int) -> [UInt8]? = { pcr($0, $1) }
    ) throws -> IMABootAggregate.Outcome {
        var builder = IMAListBuilder()
        builder.addFile(name, try #require(IMADigest(kind, algorithm, bytes)), signature: [])
        let values = IMASamples.fold(IMASamples.extensions(builder.bytes), .sha256, .native)
        let whole = try IMAList(parsing: builder.bytes)
        let match = try #require(
            IMAReplay.match(whole, bank: .sha256, mode: .native, quoted: values[count]).match)
        return IMABootAggregate.check(
            try IMAList(parsing: builder.bytes, startingAt: index), match, quoted: quoted)
    }

    @Test("It matches over PCR 0 to 9, over 0 to 7 as older kernels did, and over 0 to 7 for SHA-1")
    func matches() throws {
        for (hash, algorithm, last) in [
            (HashAlgorithm.sha256, IMADigestAlgorithm.sha256, 9), (.sha256, .sha256, 7), (.sha384, .sha384, 9),
            (.insecureSHA1, .sha1, 7),
        ] {
            let bytes = Self.aggregate(hash, through: last)
            let digest = try #require(IMADigest(.file, algorithm, bytes))
            #expect(try Self.check(algorithm, bytes) == .matches(digest, lastPCR: last))
        }
        // SHA-1 never had PCR 8 and 9.
        guard case .differs = try Self.check(.sha1, Self.aggregate(.insecureSHA1, through: 9)) else {
            Issue.record("a SHA-1 aggregate over PCR 0 to 9 was believed")
            return
        }
    }

    @Test("Another boot's aggregate differs", arguments: 0...9)
    func differs(index: Int) throws {
        let bytes = Self.aggregate(.sha256, through: 9)
        let outcome = try Self.check(.sha256, bytes) {
            $1 == index ? [UInt8](repeating: 0, count: 32) : Self.pcr($0, $1)
        }
        guard case .differs(let found, let expected) = outcome else {
            Issue.record("a changed PCR \(index) went unnoticed")
            return
        }
        #expect(found.bytes == bytes && expected != bytes)
    }

    @Test("What is not quoted or not covered is not a match")
    func notCovered() throws {
        let bytes = Self.aggregate(.sha256, through: 9)
        for index in 0...9 {
            #expect(
                try Self.check(.sha256, bytes) { $1 == index ? nil : Self.pcr($0, $1) }
                    == .notCovered(.notQuoted(.sha256, pcr: index)))
            #expect(
                try Self.check(.sha256, bytes) { $1 == index ? [1] : Self.pcr($0, $1) }
                    == .notCovered(.notQuoted(.sha256, pcr: index)))
        }
        #expect(try Self.check(.sha256, bytes, covering: 0) == .notCovered(.nothingIsCovered))
        #expect(try Self.check(.sha256, bytes, startingAt: 3) == .notCovered(.listBeginsLater(3)))
        #expect(try Self.check(.sha256, bytes, name: "boot_aggregat") == .notCovered(.isNotFirstEntry))
        #expect(try Self.check(.sha256, bytes, name: "/boot_aggregate") == .notCovered(.isNotFirstEntry))
        #expect(try Self.check(.sha256, bytes, kind: .verity) == .notCovered(.isNotFirstEntry))
        #expect(try Self.check(.sm3, bytes) == .notCovered(.algorithm(.sm3)))
    }

    @Test("A first entry of another PCR is not covered, and is not believed")
    func otherPCR() throws {
        var builder = IMAListBuilder(pcr: 11)
        let digest = try #require(IMADigest(.file, .sha256, Self.aggregate(.sha256, through: 9)))
        builder.addFile("boot_aggregate", digest)
        let first = builder.bytes.count
        builder.pcr = 10
        builder.addFile("/init", try IMASamples.digest("init"))
        let rest = Array(builder.bytes.dropFirst(first))
        let value = IMASamples.fold(IMASamples.extensions(rest), .sha256, .native)[1]
        let list = try IMAList(parsing: builder.bytes)
        let match = try #require(IMAReplay.match(list, bank: .sha256, mode: .native, quoted: value).match)
        let outcome = IMABootAggregate.check(list, match) { Self.pcr($0, $1) }
        #expect(outcome == .notCovered(.isNotFirstEntry))
    }
}
