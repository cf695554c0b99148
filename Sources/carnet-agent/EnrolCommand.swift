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
        var state = try AttesterState(in: tpm.state) ?? AttesterState(attestationKey: attestationKey)
        state.attestationKey = attestationKey
        // Before the verifier hears of it, so that what it enrolled is not forgotten here.
        try state.save(in: tpm.state)
        let template = try endorsementKey?.template ?? Self.certifiedTemplate(device)
        let connection = try verifier.connection()
        let result: Result<AttesterClient.Enrolled, any Error>
        do {
            let collector = EvidenceCollector(device: device, state: state)
            result = .success(
                try await AttesterClient(connection).enrol(
                    collector, name: name, template: template, logs: logs.sources))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        let enrolled = try result.get()
        state.subject = enrolled.subject
        state.nodeName = name
        try state.save(in: tpm.state)
        if json {
            try Output.json(["name": name, "subject": enrolled.subject, "state": enrolled.state])
        } else {
            Output.line("Enrolled \(name) as \(enrolled.subject): \(enrolled.state)")
            if enrolled.state == "pending" { Output.line("An operator approves it with: carnet node approve \(name)") }
        }
    }

    private static func certifiedTemplate(_ device: TPMDevice) throws -> TPM.EndorsementKeyTemplate {
        for template in TPM.EndorsementKeyTemplate.allCases {
            if try device.endorsementCertificate(template) != nil { return template }
        }
        return .eccP256
    }
}

extension TPMDevice.AttestationKeyKind: ExpressibleByArgument {}
