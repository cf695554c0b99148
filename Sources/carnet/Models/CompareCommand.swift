import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import Cryptography
import Foundation
import StrictEncoding
import CarnetCommandLine

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Run both models on the same machine and print what each costs.",
        discussion: """
            Example:
              carnet compare --verifier https://verifier.example --token-file vault.token --jwks jwks.json \\
                  --issuer https://verifier.example --audience https://vault.example

            Run it on an enrolled machine. It attests for real: once for a passport, and once for each of --requests background checks.
            """)

    @OptionGroup var options: OperatorOptions
    @OptionGroup var passport: PassportOptions

    @Option(help: "The TPM, as a TCTI string.")
    var tcti = TPMDevice.standardDevice

    @Option(help: "The directory of the agent's state.")
    var state = "/var/lib/carnet-agent"

    @Option(help: "The firmware's event log.")
    var eventLog = LogSources.standardEventLog

    @Option(help: "systemd's runtime log.")
    var runtimeLog = LogSources.standardRuntimeLog

    @Option(name: .customLong("ima-list"), help: "The kernel's IMA list in binary.")
    var imaList = LogSources.standardIMAList

    @Option(help: "How many requests a relying party serves in each model.")
    var requests = 5

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard (1...100).contains(requests) else { throw ValidationError("--requests is 1 to 100.") }
        let logs = LogSources(
            eventLog: .file(eventLog), runtimeLog: .fileIfReadable(runtimeLog), imaList: .fileIfReadable(imaList))
        let machine = try Machine(tcti: tcti, state: state, logs: logs)
        let rows: [[String]]
        do {
            let passportRun = try await PassportRun.measure(machine, options, passport, requests)
            let checkRun = try await BackgroundCheckRun.measure(machine, options, requests)
            rows = ComparisonTable.rows(passportRun, checkRun, requests)
        } catch let error as LogError {
            throw Failure(.unreachable, error.description)
        }
        if json {
            return try Output.json(rows.map { ["question": $0[0], "passport": $0[1], "backgroundCheck": $0[2]] })
        }
        Output.table(headings: ["", "passport", "background check"], rows)
    }
}

/// The attester in this process: TPM, keys and logs.
struct Machine {
    let collector: EvidenceCollector
    let logs: LogSources

    init(tcti: String, state directory: String, logs: LogSources) throws {
        do {
            guard let state = try AttesterState(in: directory) else {
                throw Failure(
                    .unreadable, "There is no enrolled machine in \(directory): run `carnet-agent enrol` first.")
            }
            collector = EvidenceCollector(device: try TPMDevice(tcti), state: state)
            self.logs = logs
        } catch let error as TPMDeviceError {
            throw Failure(.unreachable, error.description)
        } catch let error as AttesterState.Unusable {
            throw Failure(.unreadable, error.description)
        }
    }
}
