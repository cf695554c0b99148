import ArgumentParser
import CarnetCommandLine
import CarnetLedger
import Foundation

struct AuditExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the ledger as JSON lines: every entry, then every checkpoint, the last of them made now.",
        discussion: """
            Examples:
              carnet audit export > ledger.jsonl
              carnet audit export --to ledger.jsonl   # goes on where the file ends
              jq 'select(.kind == "operation") | .body' ledger.jsonl
            """)

    @Option(help: "Append to this file what it does not have yet, instead of writing everything to standard output.")
    var to: String?

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        var known: [String: Int64] = [:], checkpoint: Int64 = -1
        if let to, FileManager.default.fileExists(atPath: to) { (known, checkpoint) = try Self.ends(of: to) }
        let output = try Self.output(to)
        let (before, have) = (known, checkpoint)
        try await options.withConnection { connection in
            let source = LedgerSource(connection: connection)
            let number = try await source.makeCheckpoint()
            var statements: [[UInt8]] = []
            try await source.checkpoints(after: have, through: number) { statements.append($0) }
            // What comes after the checkpoint waits for the next.
            let heads = statements.last.flatMap(UnverifiedCheckpoint.init(parsing:))?.unverifiedContent.heads ?? []
            let progress = AuditProgress("exported")
            for head in heads {
                try await source.lines(of: head.chain, after: before[head.chain] ?? -1, through: head.number) {
                    line, _ in
                    try output.write(contentsOf: Data(line + [UInt8(ascii: "\n")]))
                    progress.step()
                }
            }
            for statement in statements {
                try output.write(contentsOf: Data(LedgerLine.checkpoint(statement).bytes + [UInt8(ascii: "\n")]))
            }
        }
    }

    private static func output(_ path: String?) throws -> FileHandle {
        guard let path else { return FileHandle.standardOutput }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(.unreachable, "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// The last entry of each chain in a file, and its last checkpoint.
    private static func ends(of path: String) throws -> ([String: Int64], Int64) {
        var known: [String: Int64] = [:], checkpoint: Int64 = -1
        do {
            try ExportFile(path: path).forEachLine { bytes, number in
                guard let line = LedgerLine(parsing: bytes) else {
                    throw Failure(.unreadable, "Line \(number) of \(path) is no line of an export: begin a new file.")
                }
                if let place = line.place {
                    known[place.chain] = max(known[place.chain] ?? -1, place.number)
                } else if case .checkpoint(let token) = line, let read = UnverifiedCheckpoint(parsing: token) {
                    checkpoint = max(checkpoint, read.unverifiedContent.number)
                }
            }
        } catch is ExportFile.Incomplete {
            throw Failure(.unreadable, "The last line of \(path) is incomplete: remove it, or begin a new file.")
        }
        return (known, checkpoint)
    }
}
