import CarnetClient
import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import CarnetResult
import Cryptography

struct AttestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attest",
        abstract: "Get a passport: quote the PCRs, send the evidence, keep the signed result.",
        discussion: """
            Examples:
              carnet-agent attest --verifier https://verifier.example --out passport.jwt
              carnet-agent attest --verifier https://verifier.example --key-protection tpm-state --storage-key
              carnet-agent attest --verifier https://verifier.example --audience https://cluster-a.example \\
                  --key node-17.key --node node-17 --csr node-17.csr

            Without --out the passport is kept beside the agent's state, as passport.jwt.
            A machine that is not what the policy allows gets its findings, and exit status 1.
            With --key-protection tpm-state the TPM refuses to use the passport's keys as soon as a PCR of the policy changes, IMA's excepted:
            the passport is dead at once, and the machine attests again.
            With --key the passport is bound to a key in a file, for programs that need one, and says so (`software`): whoever copies the file
            has the key. With --node and --csr that key asks for a node's certificate, in a request that shows the passport, for whoever signs
            after `carnet admit --csr`. The request is written only when the machine is what the policy allows.
            """)

    @OptionGroup var tpm: TPMOptions
    @OptionGroup var verifier: VerifierOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var keys: BindingOptions
    @OptionGroup(title: "A key in a file") var file: KeyFileOptions

    @Option(help: "Whom the passport is for, one of the verifier's audiences; by default all of them.")
    var audience: String?

    @Option(
        help:
            "The file for the passport, mode 0600; - is standard output. By default passport.jwt beside the state; with --key none."
    )
    var out: String?

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let status: String
        let expiresAt: Int64?
        let findings: [Finding]
        let passport: String?
    }

    func validate() throws {
        guard audience != "" else { throw ValidationError("--audience is a name, and not empty.") }
        guard out != "-" || file.csr != "-", !json || file.csr != "-" else {
            throw ValidationError("Only one of --out, --csr and --json can be on standard output.")
        }
        let files = [file.key, file.csr, out].compactMap(\.self).filter { $0 != "-" }
        guard Set(files).count == files.count else {
            throw ValidationError("--key, --csr and --out are different files: one would take the place of another.")
        }
        guard file.key != nil else { return }
        guard audience != nil else {
            throw ValidationError("A key in a file can be copied: say with --audience whom alone its passport is for.")
        }
        guard keys.binding == KeyBinding() else {
            throw ValidationError(
                "--key-protection and --storage-key are about keys in the TPM: leave them out with --key.")
        }
        guard out != nil || file.csr != nil || json else {
            throw ValidationError("Give --out or --csr: passport.jwt beside the state is bound to keys in the TPM.")
        }
    }

    func run() async throws {
        let device = try tpm.device(), state = try tpm.enrolledState()
        let key = try file.key.map { path throws(Failure) in try PrivateKeyFile.readOrMake(path) }
        let binding = try key.map { KeyBinding(foreignKey: try JSONWebKey($0.key.publicKey)) } ?? keys.binding
        let collector = EvidenceCollector(device: device, state: state, binding: binding)
        if let key, key.isNew { Output.aside("Made the key \(file.key ?? "")") }
        let connection = try verifier.connection()
        let result: Result<AttesterClient.Attested, any Error>
        do {
            result = .success(
                try await AttesterClient(connection).attest(collector, logs: logs.sources, audience: audience))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        let attested = try result.get()
        let summary = attested.token.flatMap(PassportSummary.init), isGood = summary?.isAffirming ?? false
        let out = out ?? (json || key != nil ? nil : tpm.state + "/passport.jwt")
        if let token = attested.token, let out { try Output.token(token, to: out) }
        if isGood, let request = try attested.token.flatMap({ try file.request(by: key?.key, showing: $0) }) {
            try Output.bytes(Array(request.utf8), to: file.csr)
        }
        if json {
            try Output.json(
                Report(
                    status: summary?.status ?? "failed", expiresAt: summary?.expiresAt, findings: attested.findings,
                    passport: self.out == nil ? attested.token.map { String(decoding: $0, as: UTF8.self) } : nil))
        } else if let summary, out != "-", file.csr != "-" {
            let what = isGood ? "Passport" : "Signed verdict"
            let places = [out, isGood ? file.csr : nil].compactMap(\.self).map { ", in " + $0 }.joined()
            Output.line("\(what): \(summary.status), valid until \(summary.expiry)\(places)")
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
