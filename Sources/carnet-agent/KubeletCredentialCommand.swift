import ArgumentParser
import CarnetAttester
import CarnetClient
import CarnetCommandLine
import CarnetEvidence
import CarnetKubelet
import Foundation

struct KubeletCredentialCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credential",
        abstract: "Give a client of Kubernetes a passport as its token: an exec credential plugin.",
        discussion: """
            Examples:
              carnet-agent kubelet credential --verifier https://verifier.example --audience https://api.cluster-a.example

            For API servers that take the verifier's tokens: by structured authentication, or by --oidc-issuer-url. In the kubeconfig:
              users:
              - name: machine
                user:
                  exec:
                    apiVersion: client.authentication.k8s.io/v1         # v1beta1 for clients before 1.22
                    command: carnet-agent
                    args: [kubelet, credential, --verifier, "https://verifier.example", --audience, "https://api.cluster-a.example"]
                    interactiveMode: Never

            The passport is kept beside the agent's state, for its owner alone, and given out again while it has more than a minute left.
            A bearer token is worth what its file is: whoever copies it may use it until it expires.
            """)

    @OptionGroup var tpm: TPMOptions
    @OptionGroup var verifier: VerifierOptions
    @OptionGroup var logs: LogOptions

    @Option(help: "The API server's own audience, one of the verifier's.")
    var audience: String

    func run() async throws {
        let request: ExecCredential
        do throws(ExecCredential.Unusable) {
            request = try ExecCredential(environment: ProcessInfo.processInfo.environment)
        } catch { throw Failure(.unreadable, error.description) }
        let now = Int64(Date().timeIntervalSince1970)
        let cache = CredentialCache(directory: tpm.state, verifier: verifier.verifier, audience: audience)
        if let kept = cache.passport(at: now) {
            return Output.json(text: request.answer(kept.token, until: kept.summary.expiresAt))
        }
        let (token, summary) = try await passport()
        cache.keep(token)
        Output.json(text: request.answer(token, until: summary.expiresAt))
    }

    private func passport() async throws -> ([UInt8], PassportSummary) {
        let collector = EvidenceCollector(device: try tpm.device(), state: try tpm.enrolledState())
        let connection = try verifier.connection()
        let result: Result<AttesterClient.Attested, any Error>
        do {
            result = .success(
                try await AttesterClient(connection).attest(collector, logs: logs.sources, audience: audience))
        } catch { result = .failure(error) }
        await connection.close()
        let attested = try result.get()
        guard let token = attested.token, let summary = PassportSummary(token), summary.isAffirming else {
            throw Failure(
                .refused,
                (["The machine is not what the policy allows, and gets no passport:"] + attested.findings.map(\.text))
                    .joined(separator: "\n"))
        }
        return (token, summary)
    }
}
