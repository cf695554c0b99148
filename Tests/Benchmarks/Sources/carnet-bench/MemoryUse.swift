import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Foundation
import MeasurementLogs

/// The most memory that a pass over a long list takes, measured in a process of its own by Linux's high-water mark.
struct MemoryUse: CustomStringConvertible {
    let name: String
    /// The bytes that were read, and the mark after the pass above the one before it.
    let byteCount: Int
    let highWater: Int
    /// How many times the bytes that were read the mark may rise.
    let bar: Double

    /// Below this it is pages that the allocator had not touched yet, and no ratio.
    private static let floor = 256 << 10
    private var ratio: Double { Double(highWater) / Double(max(1, byteCount)) }
    var meetsBar: Bool { highWater <= Self.floor || ratio <= bar }

    var description: String {
        "memory of \(name): \(byteCount / 1000) KB read, high-water mark \(highWater / 1000) KB higher, "
            + "\(Double(Int(ratio * 100)) / 100) times what was read, bar \(bar)\(meetsBar ? "" : "  MISSED")"
    }

    struct Failed: Error {}

    /// The passes whose names contain `only`.
    static func all(_ only: String) throws -> [MemoryUse] {
        let names = [
            "100,000 IMA entries", "100 new ones after 99,900", "the 100,000 as evidence", "a status list of 10 M",
        ]
        guard names.contains(where: { isWanted($0, only) }) else { return [] }
        let folder = FileManager.default.temporaryDirectory.appending(path: "carnet-bench-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let sample = try LongList(entryCount: 100_000, newCount: 100)
        func pass(
            _ index: Int, _ mode: String, _ bytes: [UInt8], _ checkpoint: [UInt8], with key: [UInt8]? = nil,
            of byteCount: Int? = nil, bar: Double
        ) throws -> MemoryUse? {
            guard isWanted(names[index], only) else { return nil }
            let input = folder.appending(path: "input"), output = folder.appending(path: "output")
            try Data(bytes).write(to: input)
            let words = ["--memory", mode, input.path, hexadecimal(key ?? sample.quoted), hexadecimal(checkpoint)]
            guard ChildProcess.run("/proc/self/exe", words, output: output.path) == 0,
                let text = try? String(contentsOf: output, encoding: .utf8),
                let kilobytes = Int(text.filter(\.isNumber))
            else { throw Failed() }
            return MemoryUse(
                name: names[index], byteCount: byteCount ?? bytes.count, highWater: kilobytes * 1024, bar: bar)
        }
        let forge = try TokenForge()
        return try [
            // The bytes themselves, and four for each entry of about 140.
            pass(0, "ima", sample.bytes, [], bar: 1.1),
            // Of the 99,900 nothing is there but a checkpoint of 58 bytes, and the new ones are fewer than the floor.
            pass(1, "ima", sample.newBytes, sample.checkpoint, bar: 1.1),
            // The request's body, the same text again in the JSON document, and three quarters of it decoded: 2.75, and the index.
            pass(2, "evidence", sample.evidence, [], bar: 3.25),
            // A bit for each entry; and while it is read, the token, its payload and the compressed list.
            pass(
                3, "status-list", StatusListComparisons.token(10_000_000, forge), [], with: forge.keySet,
                of: 1_250_000, bar: 4),
        ].compactMap { $0 }
    }

    private static func isWanted(_ name: String, _ only: String) -> Bool {
        only.isEmpty || "memory of \(name)".contains(only)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
