import ArgumentParser
import CarnetAttester
import CarnetEvidence
import Foundation

struct AttestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attest",
        abstract: "Get a passport: quote the PCRs, send the evidence, keep the signed result.",
        discussion: """
            Example:
              carnet-agent attest --verifier https://verifier.example --out passport.jwt

            A machine that is not what the policy allows gets its findings, and exit status 1.
            """)

    @OptionGroup var tpm: TPMOptions
    @OptionGroup var verifier: VerifierOptions
    @OptionGroup var log: EventLogOptions

    @Option(help: "The file for the passport, mode 0600; - is standard output.")
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
        let collector = EvidenceCollector(device: device, state: try tpm.enrolledState())
        let connection = try verifier.connection()
        let result: Result<AttesterClient.Attested, any Error>
        do {
            result = .success(try await AttesterClient(connection).attest(collector, eventLog: log.read()))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        let attested = try result.get()
        let summary = attested.token.flatMap(PassportSummary.init)
        if let token = attested.token, let out { try File.write(token + (out == "-" ? [0x0A] : []), to: out) }
        let isGood = summary?.status == "affirming"
        if json {
            try printJSON(
                Report(
                    status: summary?.status ?? "failed", expiresAt: summary?.expiresAt, findings: attested.findings,
                    passport: out == nil ? attested.token.map { String(decoding: $0, as: UTF8.self) } : nil))
        } else if let summary, out != "-" {
            print(
                "\(isGood ? "Passport" : "Signed verdict"): \(summary.status), valid until \(summary.expiry)\(out.map { ", in \($0)" } ?? "")"
            )
        }
        guard isGood else {
            let what =
                summary == nil
                ? "The evidence was not accepted, and there is no passport:"
                : "The machine is not what the policy allows:"
            throw Refused(description: json ? "" : ([what] + attested.findings.map(describe)).joined(separator: "\n"))
        }
    }
}
