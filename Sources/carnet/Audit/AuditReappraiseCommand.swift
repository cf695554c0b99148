import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import CarnetLedger
import StrictEncoding

struct AuditReappraiseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reappraise",
        abstract:
            "Appraise kept evidence again, under the policy and by the clock of then, and compare with the ledger.",
        discussion: """
            Examples:
              carnet audit reappraise node-17                  # the last appraisal whose evidence is kept
              carnet audit reappraise 5f0c2a9d81b3e467.1042    # as `carnet node findings --json` and exports name it

            Exit status: 0 the same verdict byte for byte, 1 another or none, 2 and 3 as always.
            """)

    @Argument(help: "A node's name or identifier, or an appraisal's identifier.")
    var subject: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    /// What came of it.
    private struct Outcome: Encodable {
        let appraisal, node, time: String
        let policySHA256: String?
        let same: Bool
        let differences: [String]
        let recorded, reached: String
    }

    func run() async throws {
        let place = try await place()
        guard let answer = try await options.send("POST", "/admin/v1/appraisals/\(place)/reappraisal"),
            let same = answer["same"]?.boolean
        else { throw Failure(.unreachable, "The verifier did not say what came of it.") }
        let outcome = Outcome(
            appraisal: place, node: answer["node"]?.string ?? "", time: answer["time"]?.string ?? "",
            policySHA256: answer["policy_sha256"]?.string, same: same,
            differences: (answer["differences"]?.elements ?? []).compactMap(\.string),
            recorded: Self.word(answer["recorded"]), reached: Self.word(answer["reached"]))
        if json {
            try Output.json(outcome)
        } else {
            Output.line("Appraisal \(place) of \(outcome.time), policy \(outcome.policySHA256 ?? "none")")
            Output.line("  recorded  \(outcome.recorded)")
            Output.line("  today     \(outcome.reached)")
            Output.line(
                same
                    ? "The same verdict, byte for byte" : "NOT THE SAME: \(outcome.differences.joined(separator: ", "))"
            )
        }
        guard same else { throw ExitCode(1) }
    }

    /// The verdict in a line.
    private static func word(_ verdict: JSONNode?) -> String {
        let count = verdict?["findings"]?.elements?.count ?? 0
        return "\(verdict?["outcome"]?.string ?? "?"), \(count) \(count == 1 ? "finding" : "findings")"
    }

    /// The appraisal's identifier. A node's name may look like one, and is tried first.
    private func place() async throws -> String {
        let node: String
        do {
            node = try await options.nodeIdentifier(subject)
        } catch let failure as Failure where failure.status == .refused && isPlace {
            return subject
        }
        let answer = try await options.withConnection { connection in
            try await connection.send("GET", "/admin/v1/nodes/\(node)/evidence", maximumByteCount: 64 << 20).body
        }
        let root = try? JSONDocument(parsing: answer, maximumByteCount: 64 << 20).root
        guard let place = root?["appraisal"]?.string else {
            throw Failure(
                .refused, "The evidence of \(subject) was kept by an earlier release: let it attest once more.")
        }
        return place
    }

    private var isPlace: Bool {
        guard let dot = subject.lastIndex(of: "."), Int64(subject[subject.index(after: dot)...]) != nil else {
            return false
        }
        return LedgerEntryRecord.isChainName(String(subject[..<dot]))
    }
}
