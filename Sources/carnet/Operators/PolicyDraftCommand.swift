public import ArgumentParser
public import CarnetAppraisal
import CarnetCommandLine
import MeasurementLogs
import TPM2

struct PolicyDraftCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "draft",
        abstract: "Write a first policy from a good machine's log.",
        discussion: """
            Examples:
              carnet policy draft --event-log /sys/kernel/security/tpm0/binary_bios_measurements --id rack > rack.yaml
              carnet policy draft --from node-17 --id rack --style values --out rack.yaml

            The machine is taken at its word. Read what was drafted, and rehearse it before you activate it.
            """)

    @Option(name: .customLong("from"), help: "A node whose last evidence the verifier keeps, by name or identifier.")
    var node: String?

    @Option(help: "The file of a firmware event log.")
    var eventLog: String?

    @Option(help: "The file of systemd's log beside it.")
    var runtimeLog: String?

    @Option(help: "The policy's identifier: a-z, 0-9, dot, dash, underscore.")
    var id: String

    @Option(help: "What to name: components or values.")
    var style: PolicyText.Style = .components

    @Option(help: "The bank: sha256, sha384, sha512.")
    var bank = "sha256"

    @Option(help: "The file for the policy; by default standard output.")
    var out: String?

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        guard (node == nil) != (eventLog == nil) else { throw ValidationError("Give --from or --event-log.") }
        guard let algorithm = TPM.AlgorithmID(hashNamed: bank) else { throw ValidationError("\(bank) is no bank.") }
        guard runtimeLog == nil || eventLog != nil else {
            throw ValidationError("--runtime-log goes with --event-log.")
        }
        let logs =
            if let eventLog { try KeptLogs(eventLog: eventLog, runtimeLog: runtimeLog) } else {
                try await KeptLogs(of: node ?? "", options)
            }
        let replay = ReplayedEventLog(try logs.joined(), bank: algorithm)
        guard let replay else { throw Failure(.unreadable, "The event log has no bank \(bank).") }
        let text = Array(PolicyText.draft(replay, id: id, style: style).utf8)
        do {
            _ = try Policy(parsing: text)
        } catch {
            throw Failure(.unreadable, "No policy can be drafted from this: \(error).")
        }
        try Output.bytes(text, to: out)
    }
}

extension PolicyText.Style: ExpressibleByArgument {}
