import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetEvidence
import Cryptography
import StrictEncoding
import CarnetCommandLine

struct BackgroundCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "background-check",
        abstract: "Ask a verifier about a machine, with a nonce of your own.",
        discussion: """
            Examples:
              carnet background-check requirements --token-file vault.token > requirements.json
              carnet-agent evidence --requirements requirements.json --out evidence.json        # on the machine
              carnet background-check appraise evidence.json --requirements requirements.json --token-file vault.token
            """,
        subcommands: [BackgroundCheckRequirementsCommand.self, BackgroundCheckAppraiseCommand.self])
}

struct BackgroundCheckRequirementsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requirements",
        abstract: "Print a fresh nonce, and the PCRs and logs that the verifier's policy wants, as JSON.",
        discussion: "Example:\n  carnet background-check requirements --token-file vault.token > requirements.json")

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard let root = try await options.send("GET", "/background-check/v1/requirements"),
            let selection = root["pcr_selection"]?.elements
        else { throw Failure(.unreachable, "The verifier did not say what it requires.") }
        let wanted = try AttesterClient.requirements(root)
        let nonce = SecureRandom.bytes(32), state = root["state_pcr_selection"]?.elements
        func write(_ banks: [JSONNode], to writer: inout JSONWriter) {
            for bank in banks {
                writer.object { writer in
                    writer.string("bank", bank["bank"]?.string ?? "")
                    writer.array("pcrs") { writer in
                        for pcr in bank["pcrs"]?.elements ?? [] { writer.element(pcr.integer ?? 0) }
                    }
                }
            }
        }
        let body = JSONWriter.object { writer in
            writer.base64URL("nonce", nonce)
            wanted.write(to: &writer)
            writer.array("pcr_selection") { write(selection, to: &$0) }
            if let state { writer.array("state_pcr_selection") { write(state, to: &$0) } }
        }
        try Output.bytes(body + [0x0A], to: nil)
    }
}

struct BackgroundCheckAppraiseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "appraise", abstract: "Have a machine's evidence appraised for your nonce.",
        discussion: """
            Example:
              carnet background-check appraise evidence.json --requirements requirements.json --token-file vault.token
            """)

    @Argument(help: "The evidence's file; - is standard input.")
    var evidence: String

    @Option(help: "Your requirements, with your nonce, as `requirements` printed them.")
    var requirements: String

    @Option(help: "The file for the signed result.")
    var out: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    struct Report: Encodable {
        let status: String
        let result: String?
        let findings: [Finding]
    }

    func run() async throws {
        let body = try Self.request(requirements, evidence)
        guard let root = try await options.send("POST", "/background-check/v1/appraisals", body: body) else {
            throw Failure(.unreachable, "The verifier gave no answer.")
        }
        let findings = try (root["findings"]?.elements ?? []).map(Finding.init)
        let token = root["result"]?.string
        let status = token.flatMap(ResultStatus.init)?.status ?? "failed"
        if let token, let out { try Output.token(Array(token.utf8), to: out) }
        if json {
            try Output.json(Report(status: status, result: token, findings: findings))
        } else {
            Output.line("The verifier says: \(status)")
            for finding in findings { Output.line(finding.text) }
        }
        if status != "affirming" { throw Failure(.refused, "") }
    }

    static func request(_ requirements: String, _ evidence: String) throws -> [UInt8] {
        do {
            let root = try JSONDocument(parsing: Input.bytes(requirements), maximumByteCount: 65_536).root
            guard let nonce = root["nonce"]?.string.flatMap({ Base64URL.decode($0) }) else {
                throw Failure(.unreadable, "\(requirements) has no nonce.")
            }
            let parsed = try Evidence(parsing: Input.bytes(evidence, maximum: Evidence.maximumByteCount))
            return JSONWriter.object { writer in
                writer.base64URL("nonce", nonce)
                writer.object("evidence") { parsed.write(to: &$0) }
            }
        } catch let error as JSONError {
            throw Failure(.unreadable, "\(requirements) is not JSON: \(error)")
        } catch let error as EvidenceError {
            throw Failure(.unreadable, "\(evidence): \(error)")
        }
    }
}
