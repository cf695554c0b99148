import CarnetClient
import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetLedger
import CarnetResult
import Foundation
import StrictEncoding

struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that nothing in the ledger was changed, removed or reordered.",
        discussion: """
            Without a file the verifier is asked for its ledger; with one, an export is checked without any network.
            A checkpoint that you kept shows also whether the end was cut off, or the whole database set back.

            Examples:
              carnet audit verify
              carnet audit verify ledger.jsonl --keys jwks.json
              carnet audit verify --checkpoint last-week.jwt --keys jwks-of-last-week.json --json

            Exit status: 0 nothing is wrong, 1 something is, 2 and 3 as always.
            """)

    @Argument(help: "An export; without one the verifier is asked.")
    var file: String?

    @Option(
        help: "A key set of the verifier. Repeat it for those of earlier times. Without a file its own is asked for.")
    var keys: [String] = []

    @Option(help: "A checkpoint that you kept: the ledger has to contain it. Repeat it for more.")
    var checkpoint: [String] = []

    @Option(help: ArgumentHelp("Write the last checkpoint here, to be kept.", valueName: "file"))
    var saveCheckpoint: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard file == nil || !keys.isEmpty else {
            throw ValidationError(
                "With which keys? Give --keys: the verifier's /.well-known/jwks.json, as you kept it.")
        }
        let kept = try checkpoint.map { path in try Input.token(path) }
        let given = try keys.map { path in try JSONWebKeySet(parsing: Input.bytes(path)) }
        var last: [UInt8]?
        let report: LedgerAuditReport
        if let file {
            report = try audit(ExportFile(path: file), given, kept, &last)
        } else {
            let asked = try await auditOnline(given, kept)
            report = asked.report
            last = asked.last
        }
        if let saveCheckpoint, let last, report.isSound { try Output.bytes(last, to: saveCheckpoint) }
        if json { try Output.json(AuditSummary(report)) } else { AuditSummary(report).printLines() }
        guard report.isSound else { throw ExitCode(1) }
    }

    private static func merged(_ sets: [JSONWebKeySet]) -> JSONWebKeySet {
        JSONWebKeySet(
            verificationKeys: sets.reduce(into: [:]) { keys, set in
                keys.merge(set.verificationKeys) { first, _ in first }
            })
    }

    /// Twice through the file: checkpoints first, then everything against them.
    private func audit(
        _ file: ExportFile, _ keys: [JSONWebKeySet], _ kept: [[UInt8]], _ last: inout [UInt8]?
    ) throws -> LedgerAuditReport {
        var audit = LedgerAudit(keys: Self.merged(keys), isExport: true)
        for token in kept { audit.add(kept: token) }
        let progress = AuditProgress("checked")
        var isEmpty = true
        do {
            try file.forEachLine { bytes, _ in
                isEmpty = false
                guard case .checkpoint(let token)? = LedgerLine(checkpointIn: bytes) else { return }
                audit.add(checkpoint: token)
                last = token
            }
        } catch is ExportFile.Incomplete {
            isEmpty = false
        }
        guard !isEmpty else { throw Failure(.unreadable, "\(file.path) is empty: it is no export.") }
        do {
            try file.forEachLine { bytes, number in
                audit.add(bytes, line: number)
                progress.step()
            }
        } catch let cut as ExportFile.Incomplete {
            audit.add([], line: cut.line)
        }
        let report = audit.finish()
        if report.entryCount == 0, report.checkpointCount == 0 {
            throw Failure(.unreadable, "\(file.path) has no whole line of an export.")
        }
        return report
    }

    private func auditOnline(
        _ keys: [JSONWebKeySet], _ kept: [[UInt8]]
    ) async throws -> (report: LedgerAuditReport, last: [UInt8]?) {
        try await options.withConnection { connection in
            let own = try JSONWebKeySet(parsing: await connection.send("GET", "/.well-known/jwks.json").body)
            var audit = LedgerAudit(keys: Self.merged(keys + [own]))
            for token in kept { audit.add(kept: token) }
            let source = LedgerSource(connection: connection), progress = AuditProgress("checked")
            do {
                _ = try await source.makeCheckpoint()
            } catch let failure as ServiceConnection.Failure where failure.problem == "ledger-set-back" {
                audit.addDistrust()
            }
            var last: [UInt8]?
            try await source.checkpoints(after: -1) { token in
                audit.add(checkpoint: token)
                last = token
            }
            for chain in try await source.chains() {
                try await source.lines(of: chain.name, after: -1) { line, number in
                    audit.add(line, line: number)
                    progress.step()
                }
            }
            return (audit.finish(), last)
        }
    }
}

extension LedgerLine {
    /// Reads a line if it can be a checkpoint; entries, which are many more, are not read.
    fileprivate init?(checkpointIn bytes: [UInt8]) {
        guard bytes.starts(with: Array("{\"checkpoint\":".utf8)) else { return nil }
        self.init(parsing: bytes)
    }
}
