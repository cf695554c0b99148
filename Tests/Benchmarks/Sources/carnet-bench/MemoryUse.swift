import CarnetEvidence
import Cryptography
import Foundation
import MeasurementLogs

/// The most memory that a pass over a long IMA list takes, measured in a process of its own by Linux's high-water mark.
struct MemoryUse: CustomStringConvertible {
    let name: String
    /// The bytes that were read, and the mark after the pass above the one before it.
    let byteCount: Int
    let highWater: Int
    /// The high-water mark that must not be exceeded, in bytes.
    let bar: Int
    var meetsBar: Bool { highWater <= bar }

    var description: String {
        func kilobytes(_ count: Int) -> String { "\(count / 1000) KB" }
        let ratio = Double(highWater * 100 / max(1, byteCount)) / 100
        return
            "memory: \(name): \(kilobytes(byteCount)) read, high-water \(kilobytes(highWater)) above the process's own, "
            + "ratio \(ratio), bar \(kilobytes(bar))\(meetsBar ? "" : "  MISSED")"
    }

    struct Failed: Error {}

    /// The passes whose names contain `only`.
    static func all(_ only: String) throws -> [MemoryUse] {
        let names = ["100,000 IMA entries", "100 new ones after 99,900", "the first as evidence"].map {
            $0 + ", memory"
        }
        guard names.contains(where: { only.isEmpty || $0.contains(only) }) else { return [] }
        let folder = FileManager.default.temporaryDirectory.appending(path: "carnet-bench-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let sample = try LongList(entryCount: 100_000, newCount: 100)
        let all = sample.bytes.count, new = sample.newBytes.count
        func pass(_ index: Int, _ mode: String, _ bytes: [UInt8], _ checkpoint: [UInt8], bar: Int) throws -> MemoryUse?
        {
            guard only.isEmpty || names[index].contains(only) else { return nil }
            let input = folder.appending(path: "input"), output = folder.appending(path: "output")
            try Data(bytes).write(to: input)
            let words = ["--memory", mode, input.path, hexadecimal(sample.quoted), hexadecimal(checkpoint)]
            guard ChildProcess.run("/proc/self/exe", words, output: output.path) == 0,
                let text = try? String(contentsOf: output, encoding: .utf8),
                let kilobytes = Int(text.filter(\.isNumber))
            else { throw Failed() }
            return MemoryUse(name: names[index], byteCount: bytes.count, highWater: kilobytes * 1024, bar: bar)
        }
        return try [
            // The bytes themselves, and four for each entry.
            pass(0, "ima", sample.bytes, [], bar: all * 5 / 4),
            // Hardly more than a page for each kind of allocation: nothing of the 99,900 is kept but a checkpoint.
            pass(1, "ima", sample.newBytes, sample.checkpoint, bar: new + (256 << 10)),
            // The request's body, the same text in the JSON document, and the decoded bytes: 4/3, 4/3 and 1 of the list.
            pass(2, "evidence", sample.evidence, [], bar: all * 4 + (1 << 20)),
        ].compactMap { $0 }
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
