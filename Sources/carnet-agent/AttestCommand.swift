import CarnetClient
import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence

struct AttestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attest",
        abstract: "Get a passport: quote the PCRs, send the evidence, keep the signed result.",
        discussion: """
            Examples:
              carnet-agent attest --verifier https://verifier.example --out passport.jwt
              carnet-agent attest --verifier https://verifier.example --key-protection tpm-state --storage-key

            Without --out the passport is kept beside the agent's state, as passport.jwt.
            A machine that is not what the policy allows gets its findings, and exit status 1.
            With --key-protection tpm-state the TPM refuses to use the passport's keys as soon as a PCR of the policy changes, IMA's excepted:
            the passport is dead at once, and the machine attests again.
            """)

    @OptionGroup var tpm: TPMOptions
    @OptionGroup var verifier: VerifierOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var keys: BindingOptions

    @Option(
        help: "The file for the passport, mode 0600; - is standard output. By default passport.jwt beside the state.")
    var out: String?

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let status: String
        let expiresAt: Int64?
        let findings: [Finding]
        let passport: String?
    }

    func run() async throws {
        let device = try tpm.device()
        let collector = EvidenceCollector(
            device: device, state: try tpm.enrolledState(), binding: keys.binding)
        let connection = try verifier.connection()
        let result: Result<AttesterClient.Attested, any Error>
        do {
            result = .success(try await AttesterClient(connection).attest(collector, logs: logs.sources))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        let attested = try result.get()
        let summary = attested.token.flatMap(PassportSummary.init), out = out ?? tpm.state + "/passport.jwt"
        if let token = attested.token, !json || self.out != nil {
            try Output.token(token, to: out)
        }
        let isGood = summary?.isAffirming ?? false
        if json {
            try Output.json(
                Report(
                    status: summary?.status ?? "failed", expiresAt: summary?.expiresAt, findings: attested.findings,
                    passport: self.out == nil ? attested.token.map { String(decoding: $0, as: UTF8.self) } : nil))
        } else if let summary, out != "-" {
            let what = isGood ? "Passport" : "Signed verdict"
            Output.line("\(what): \(summary.status), valid until \(summary.expiry), in \(out)")
        }
        guard isGood else {
            let what =
                summary == nil
                ? "The evidence was not accepted, and there is no passport:"
                : "The machine is not what the policy allows:"
            throw Failure(.refused, json ? "" : ([what] + attested.findings.map(\.text)).joined(separator: "\n"))
        }
    }
}
