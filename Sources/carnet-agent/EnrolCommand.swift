import CarnetClient
public import ArgumentParser
public import CarnetAttester
import CarnetCommandLine
import TPM2

struct EnrolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrol",
        abstract: "Prove once that this machine's keys live in its TPM.",
        discussion: """
            Example:
              carnet-agent enrol --verifier https://verifier.example --name node-17

            The node is pending until an operator approves it with `carnet node approve`.
            """)

    @OptionGroup var tpm: TPMOptions
    @OptionGroup var verifier: VerifierOptions
    @OptionGroup var logs: LogOptions

    @Option(help: "The name under which operators know this machine.")
    var name: String

    @Option(help: "The attestation key: ecc (P-256) or rsa (2048).")
    var attestationKey: TPMDevice.AttestationKeyKind = .eccP256

    @Option(help: "The endorsement key: rsa (2048) or ecc (P-256); by default the one with a certificate.")
    var endorsementKey: EndorsementChoice?

    @Flag(help: "Print JSON.")
    var json = false

    enum EndorsementChoice: String, ExpressibleByArgument, CaseIterable {
        case rsa, ecc
        var template: TPM.EndorsementKeyTemplate { self == .rsa ? .rsa2048 : .eccP256 }
    }

    func run() async throws {
        let device = try tpm.device()
        let enrolment = Enrolment(
            name: name, attestationKey: attestationKey, endorsementKey: endorsementKey?.template)
        let connection = try verifier.connection()
        let result: Result<AttesterClient.Enrolled, any Error>
        do {
            result = .success(
                try await enrolment.run(
                    on: device, stateIn: tpm.state, with: AttesterClient(connection), logs: logs.sources))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        let enrolled = try result.get()
        if json {
            try Output.json(["name": name, "subject": enrolled.subject, "state": enrolled.state])
        } else {
            Output.line("Enrolled \(name) as \(enrolled.subject): \(enrolled.state)")
            if enrolled.state == "pending" { Output.line("An operator approves it with: carnet node approve \(name)") }
        }
    }
}

extension TPMDevice.AttestationKeyKind: ExpressibleByArgument {}
