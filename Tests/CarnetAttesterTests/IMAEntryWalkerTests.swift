import CarnetAttester
import CarnetTesting
import Cryptography
import MeasurementLogs
import Testing

@Suite("Finding an entry of the IMA list while it is read")
struct IMAEntryWalkerTests {
    /// Lists that grow by one entry of every template, and the bytes after each.
    private static func list() throws -> (bytes: [UInt8], ends: [Int]) {
        var list = IMAListBuilder(), ends = [0]
        let digest = try #require(IMADigest(.file, .sha256, [UInt8](repeating: 7, count: 32)))
        let additions: [(inout IMAListBuilder) -> Void] = [
            { GoodBoot.addFile(IMABootAggregate.name, [1], to: &$0) },
            { $0.addLegacyFile("/init", sha1: [UInt8](repeating: 8, count: 20)) },
            { $0.addLegacyFile("", sha1: [UInt8](repeating: 8, count: 20)) },
            { $0.addFile("/bin/verity", digest, signature: [], isVersion2: true) },
            { $0.addBuffer(".ima", [UInt8](repeating: 3, count: 70_000)) },
            { $0.addViolation("/var/log/open") },
            { $0.add(template: "n", fields: [[]]) },
            { $0.add(template: String(repeating: "d", count: 255), fields: [[1], [2]]) },
        ]
        for add in additions {
            add(&list)
            ends.append(list.bytes.count)
        }
        return (list.bytes, ends)
    }

    private func walk(_ bytes: [UInt8], passing count: Int, piece: Int) -> (rest: [UInt8], walker: IMAEntryWalker) {
        var walker = IMAEntryWalker(passing: count), rest: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            rest += walker.pass(bytes[start..<min(start + piece, bytes.count)])
        }
        return (rest, walker)
    }

    @Test(
        "Every entry of every template is found, however the bytes arrive", arguments: [1, 2, 3, 7, 29, 4096, 1 << 20])
    func pieces(piece: Int) throws {
        let (bytes, ends) = try Self.list()
        for (count, end) in ends.enumerated() {
            let (rest, walker) = walk(bytes, passing: count, piece: piece)
            #expect(walker.hasArrived && rest == Array(bytes[end...]), "entry \(count)")
        }
    }

    @Test("A list that ends before the entry has not arrived, wherever it ends")
    func short() throws {
        let (bytes, ends) = try Self.list()
        let (rest, walker) = walk(bytes, passing: ends.count, piece: 4096)
        #expect(rest.isEmpty && !walker.hasArrived && !walker.isLost)
        for cut in [0, 1, 27, 28, 40, ends[1] - 1] {
            let (rest, walker) = walk(Array(bytes.prefix(cut)), passing: 1, piece: 5)
            #expect(rest.isEmpty && !walker.hasArrived && !walker.isLost)
        }
    }

    @Test("Lengths that no kernel writes stop it")
    func lost() {
        let fixed = [UInt8](repeating: 0, count: 24)
        for spoiled in [
            fixed + [0, 0, 0, 0], fixed + [0, 1, 0, 0], fixed + [0xFF, 0xFF, 0xFF, 0xFF],
            fixed + [1, 0, 0, 0, 0x64, 1, 0, 0x10, 0], fixed + [1, 0, 0, 0, 0x64, 0xFF, 0xFF, 0xFF, 0xFF],
            fixed + [3, 0, 0, 0] + Array("ima".utf8) + [UInt8](repeating: 1, count: 20) + [0xFF, 0xFF, 0xFF, 0xFF],
        ] {
            let (rest, walker) = walk(spoiled + [1, 2, 3], passing: 1, piece: 3)
            #expect(walker.isLost && !walker.hasArrived && rest.isEmpty)
        }
    }

    @Test("It agrees with the parser about random changes of a list")
    func agreement() throws {
        let (bytes, ends) = try Self.list()
        var random = SystemRandomNumberGenerator(), agreed = 0
        for _ in 0..<2000 {
            var changed = Array(bytes.prefix(ends[4]))
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let list = try? IMAList(parsing: changed) else { continue }
            agreed += 1
            let (rest, walker) = walk(changed, passing: list.count, piece: 11)
            #expect(walker.hasArrived && rest.isEmpty)
            #expect(!walk(changed, passing: list.count + 1, piece: 64).walker.hasArrived)
        }
        #expect(agreed > 100)
    }
}
