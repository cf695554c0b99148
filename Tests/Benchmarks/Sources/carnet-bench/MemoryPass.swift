import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Foundation
import MeasurementLogs

/// `--memory MODE FILE QUOTED CHECKPOINT`, or with a key set for QUOTED: one pass over a list in this process, which then prints by how many kilobytes its high-water mark rose.
enum MemoryPass {
    static func run(_ words: ArraySlice<String>) throws {
        let words = Array(words)
        guard words.count >= 3 else { throw MemoryUse.Failed() }
        let checkpoint = IMACheckpoint(parsing: bytes(words.count > 3 ? words[3] : "")), quoted = bytes(words[2])
        // What every process takes once: libcrypto, the allocator's first pages, the text of /proc.
        let small = try LongList(entryCount: 20, newCount: 10)
        precondition(pass(small.bytes, small.quoted, nil))
        _ = try highWater()
        let before = try highWater()
        switch words[0] {
        case "ima": guard pass(try read(words[1]), quoted, checkpoint) else { throw MemoryUse.Failed() }
        case "evidence":
            guard let list = try Evidence(parsing: read(words[1])).ima, pass(list.entries, quoted, checkpoint) else {
                throw MemoryUse.Failed()
            }
        case "status-list":
            let lists = try StatusLists([read(words[1])], keySet: JSONWebKeySet(parsing: quoted))
            guard lists.held.first?.count == 10_000_000 else { throw MemoryUse.Failed() }
        default: throw MemoryUse.Failed()
        }
        print(try highWater() - before)
    }

    /// Parses, replays, and asks of each entry whether it is allowed.
    private static func pass(_ bytes: [UInt8], _ quoted: [UInt8], _ checkpoint: IMACheckpoint?) -> Bool {
        guard let list = try? IMAList(parsing: bytes, startingAt: checkpoint?.entryCount ?? 0),
            let match = IMAReplay.match(list, bank: .sha256, mode: .native, quoted: quoted, from: checkpoint).match,
            let allowed = try? IMAAllowList(excludedFiles: ["/usr/lib/**.so"].compactMap(IMAPathPattern.init))
        else { return false }
        return match.coveredCount == list.count && list.entries.allSatisfy { allowed.verdict(of: $0).isExcluded }
    }

    /// The whole file, once in memory.
    private static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw MemoryUse.Failed() }
        defer { fclose(file) }
        setvbuf(file, nil, _IONBF, 0)
        fseek(file, 0, SEEK_END)
        let count = ftell(file)
        rewind(file)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, read in
            read = fread(buffer.baseAddress, 1, count, file)
        }
    }

    /// `VmHWM` of /proc/self/status, in kilobytes.
    private static func highWater() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let value = Int(line.filter(\.isNumber))
        else { throw MemoryUse.Failed() }
        return value
    }

    private static func bytes(_ digits: String) -> [UInt8] {
        let values = digits.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue.map { UInt8($0) } }
        return stride(from: 0, to: values.count - 1, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}

/// The kernel's list of a machine that was up for long, and the part of it that is new since it was last asked.
struct LongList {
    let bytes: [UInt8]
    let newBytes: [UInt8]
    /// The register after the last entry.
    let quoted: [UInt8]
    /// What was kept after the entries before the new ones.
    let checkpoint: [UInt8]
    /// The list in an envelope, as it is posted.
    let evidence: [UInt8]

    init(entryCount: Int, newCount: Int) throws {
        var builder = IMAListBuilder(), rest = 0
        for number in 0..<entryCount {
            let name = "/usr/lib/x86_64-linux-gnu/package-\(number % 977)/lib\(number).so"
            guard let digest = IMADigest(.file, .sha256, HashAlgorithm.sha256.hash(Array(name.utf8))) else { continue }
            if number == entryCount - newCount { rest = builder.bytes.count }
            builder.addFile(name, digest, signature: [])
        }
        bytes = builder.bytes
        newBytes = Array(bytes.dropFirst(rest))
        var machine = try ForgedMachine()
        try machine.measure(builder)
        quoted = machine.registers[.sha256]?[10] ?? []
        let old = try IMAList(parsing: Array(bytes.prefix(rest)))
        var value = [UInt8](repeating: 0, count: 32)
        for entry in old.entries {
            HashAlgorithm.sha256.extend(&value, with: HashAlgorithm.sha256.hash(entry.hashedData))
        }
        let match = IMAReplay.match(old, bank: .sha256, mode: .native, quoted: value).match
        checkpoint = match?.checkpoint.bytes ?? []
        let wanted = EvidenceRequirements(eventLog: .required, imaOffset: 0)
        evidence = try machine.evidence(machine.challenge(), wanting: wanted).bytes
    }
}
