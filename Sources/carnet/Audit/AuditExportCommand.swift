import CarnetClient
import ArgumentParser
import CarnetAttester
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
        let file = try to.flatMap { FileManager.default.fileExists(atPath: $0) ? try Self.end(of: $0) : nil } ?? End()
        try await options.withConnection { connection in
            let source = LedgerSource(connection: connection)
            try await requireSame(file, source)
            let number = try await Self.lastCheckpoint(source)
            var statements: [[UInt8]] = []
            try await source.checkpoints(after: file.checkpoint, through: number) { statements.append($0) }
            let output = try Self.output(to)
            // What comes after the checkpoint waits for the next.
            let heads = statements.last.flatMap(UnverifiedCheckpoint.init(parsing:))?.unverifiedContent.heads ?? []
            let progress = AuditProgress("exported")
            for head in heads {
                try await source.lines(of: head.chain, after: file.entries[head.chain] ?? -1, through: head.number) {
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

    /// What an export has already: the last entry of each chain, and its last checkpoint.
    private struct End: Sendable {
        var entries: [String: Int64] = [:]
        var checkpoint: Int64 = -1
        var token: [UInt8] = []
    }

    /// Goes on with a file only where the ledger has its last checkpoint: behind another history an export would be broken.
    private func requireSame(_ file: End, _ source: LedgerSource) async throws {
        guard let to, file.checkpoint >= 0 else { return }
        var found: [UInt8]?
        try await source.checkpoints(after: file.checkpoint - 1, through: file.checkpoint) { found = $0 }
        guard found == file.token else {
            throw Failure(
                .refused,
                "\(to) ends with checkpoint \(file.checkpoint), and the ledger has not the same: its database was set back or "
                    + "replaced. Keep this file, which may be all that is left of what it tells, and begin a new one.")
        }
    }

    /// A new checkpoint's number; where the verifier does not trust its ledger, there is none, and the ledger is exported as far as it was signed.
    private static func lastCheckpoint(_ source: LedgerSource) async throws -> Int64 {
        do {
            return try await source.makeCheckpoint()
        } catch let failure as ServiceConnection.Failure where failure.problem == "ledger-set-back" {
            Output.aside("The verifier signs nothing on top of this ledger; it is exported up to its last checkpoint.")
            return .max
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

    private static func end(of path: String) throws -> End {
        var end = End()
        do {
            try ExportFile(path: path).forEachLine { bytes, number in
                guard let line = LedgerLine(parsing: bytes) else {
                    throw Failure(.unreadable, "Line \(number) of \(path) is no line of an export: begin a new file.")
                }
                if let place = line.place {
                    end.entries[place.chain] = max(end.entries[place.chain] ?? -1, place.number)
                } else if case .checkpoint(let token) = line, let read = UnverifiedCheckpoint(parsing: token),
                    read.unverifiedContent.number > end.checkpoint
                {
                    (end.checkpoint, end.token) = (read.unverifiedContent.number, token)
                }
            }
        } catch is ExportFile.Incomplete {
            throw Failure(.unreadable, "The last line of \(path) is incomplete: remove it, or begin a new file.")
        }
        return end
    }
}
