import ArgumentParser
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
    var eventLog = "/sys/kernel/security/tpm0/binary_bios_measurements"

    @Option(help: "How many requests a relying party serves in each model.")
    var requests = 5

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard (1...100).contains(requests) else { throw ValidationError("--requests is 1 to 100.") }
        let machine = try Machine(tcti: tcti, state: state, eventLog: eventLog)
        let passportRun = try await PassportRun.measure(machine, options, passport.verifier(), requests)
        let checkRun = try await BackgroundCheckRun.measure(machine, options, requests)
        let rows = ComparisonTable.rows(passportRun, checkRun, requests)
        if json {
            return try Output.json(rows.map { ["question": $0[0], "passport": $0[1], "backgroundCheck": $0[2]] })
        }
        Output.table(headings: ["", "passport", "background check"], rows)
    }
}

/// The attester in this process: TPM, keys and log.
struct Machine {
    let collector: EvidenceCollector
    let eventLog: [UInt8]

    init(tcti: String, state directory: String, eventLog: String) throws {
        do {
            guard let state = try AttesterState(in: directory) else {
                throw Failure(
                    .unreadable, "There is no enrolled machine in \(directory): run `carnet-agent enrol` first.")
            }
            collector = EvidenceCollector(device: try TPMDevice(tcti), state: state)
            self.eventLog = try Input.bytes(eventLog)
        } catch let error as TPMDeviceError {
            throw Failure(.unreachable, error.description)
        } catch let error as AttesterState.Unusable {
            throw Failure(.unreadable, error.description)
        }
    }
}
