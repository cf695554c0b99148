import ArgumentParser
import CarnetAttester
import CarnetClient
import CarnetCommandLine
import CarnetKubelet
import CarnetService
import Foundation
import KubernetesAPI
import Logging
import NodeAdmission
import ServiceLifecycle
import UnixSignals

struct KubeletRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Keep the kubelet's certificate and kubeconfig, and show this machine's passports on its Node.",
        discussion: """
            Examples:
              carnet-agent kubelet --node node-17 --verifier https://verifier.example --audience https://cluster-a.example \\
                  --bootstrap-kubeconfig /etc/kubernetes/bootstrap-kubelet.conf --kubeconfig /etc/kubernetes/kubelet.conf
              carnet-agent kubelet --once --node node-17 …
              carnet-agent kubelet --node node-17 … --serving-certificate-dir /var/lib/kubelet/pki

            The machine is enrolled first (`carnet-agent enrol`), and its operator says which node it is (`carnet node label node-17
            kubernetes-node=node-17`, under a policy that discloses that label). Then a key is made, the machine attests with it bound, and
            asks for a certificate with the bootstrap token; carnet-admission approves it. The certificate is renewed, with a new attestation,
            at two thirds of its life. Start the kubelet with --kubeconfig of this file, and with
            --register-with-taints=carnet.dev/unattested=never:NoSchedule; it needs no --bootstrap-kubeconfig and no --rotate-certificates.

            Every option is a setting with one name: the flag --wait-seconds, the variable CARNET_KUBELET_WAIT_SECONDS, and the key
            wait-seconds in the file of --config. A flag goes before the variable, the variable before the file.

            Exit status: 0 done, or ended by SIGTERM; 1 refused by the verifier or the cluster; 2 wrong usage or unreadable input; 3 TPM,
            verifier or API server not available. Without --once, what is refused or not available is tried again.
            """)

    @OptionGroup var tpm: TPMOptions

    @Option(help: "The verifier's URL, https://…")
    var verifier: String

    @Option(help: "A PEM file of authorities to trust instead of the system's.")
    var caFile: String?

    @Flag(help: "Allow http:// to a loopback address.")
    var plainHTTP = false

    @OptionGroup var logs: LogOptions

    @Option(help: "The node's name; by default the host's, in lower case.")
    var node: String?

    @Option(help: "The cluster's own name among the verifier's audiences.")
    var audience: String

    @Option(help: "The kubeconfig with the bootstrap token, for the first certificate.")
    var bootstrapKubeconfig: String?

    @Option(help: "The kubeconfig to write for the kubelet.")
    var kubeconfig = "/etc/kubernetes/kubelet.conf"

    @Option(help: "The file for the certificate and its key.")
    var certificateFile = "/var/lib/kubelet/pki/carnet-client.pem"

    @Option(help: "The life to ask for, in seconds: 600 to 86400.")
    var expirationSeconds: Int64 = 14_400

    @Flag(help: "Ask for the usage key encipherment too, without which API servers before 1.27 sign nothing.")
    var keyEncipherment = false

    @Option(help: "A folder for a serving certificate and its key, kubelet-serving.pem; by default there is none.")
    var servingCertificateDir: String?

    @Option(help: "How long a request waits for a decision, in seconds: 10 to 3600.")
    var waitSeconds: Int64 = 900

    @Option(help: "How often to look whether the machine has changed, in seconds: 1 to 3600.")
    var watchSeconds = 5

    @Flag(help: "Get a certificate if the node needs one, show one passport, and end.")
    var once = false

    @Option(help: "The least level to log.")
    var logLevel = Logger.Level.info

    @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions

    func validate() throws {
        guard NodeName.isValid(nodeName) else {
            throw ValidationError("--node is a name in lower case, as RFC 1123 writes host names; not \(nodeName).")
        }
        guard (600...86_400).contains(expirationSeconds) else {
            throw ValidationError("--expiration-seconds is 600 to 86400.")
        }
        guard (10...3600).contains(waitSeconds) else { throw ValidationError("--wait-seconds is 10 to 3600.") }
        guard (1...3600).contains(watchSeconds) else { throw ValidationError("--watch-seconds is 1 to 3600.") }
        guard !audience.isEmpty else { throw ValidationError("--audience is the cluster's name, and not empty.") }
    }

    private var nodeName: String { node ?? ProcessInfo.processInfo.hostName.lowercased() }

    func run() async throws {
        if configurationOptions.printConfig { return try configurationOptions.printSettings(of: self) }
        _ = try tpm.enrolledState()
        var settings = KubeletSettings(
            node: nodeName, bootstrapKubeconfig: bootstrapKubeconfig, kubeconfig: Self.absolute(kubeconfig),
            credentialFile: Self.absolute(certificateFile))
        settings.life = expirationSeconds
        settings.asksKeyEncipherment = keyEncipherment
        settings.servingDirectory = servingCertificateDir.map(Self.absolute)
        settings.patience = waitSeconds
        let connection = try ServiceConnection(verifier, allowPlainHTTP: plainHTTP, authorityFile: caFile)
        if configurationOptions.checkConfig {
            await connection.close()
            if let bootstrapKubeconfig { _ = try Kubeconfig(file: bootstrapKubeconfig) }
            return Output.line("The settings can be used. Neither the verifier nor the cluster was asked.")
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await keep(settings, connection))
        } catch { result = .failure(error) }
        await connection.close()
        do { try result.get() } catch { throw Self.explained(error) }
    }

    private func keep(_ settings: KubeletSettings, _ connection: ServiceConnection) async throws {
        let logger = RunCommand.logger(logLevel)
        let keeper = KubeletKeeper(settings, watchSeconds: watchSeconds, logger: logger) { listener in
            KubeletMachine(
                tpm: SharedTPM(tpm.tcti), stateIn: tpm.state, verifier: connection, logs: logs.sources,
                audience: audience, listener: listener)
        }
        guard once else {
            let supervisor = Supervisor(ProcessInfo.processInfo.environment)
            supervisor?.tell(.ready)
            let group = ServiceGroup(
                configuration: .init(
                    services: [keeper], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
            return try await group.run()
        }
        let isShown = try await keeper.once()
        Output.line("Certificate: \(settings.credentialFile), kubeconfig: \(settings.kubeconfig)")
        Output.line(
            isShown
                ? "The passport is shown on the Node \(settings.node)"
                : "The cluster has no Node \(settings.node) yet: start the kubelet, and this command again")
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// What a script can branch on.
    private static func explained(_ error: any Error) -> any Error {
        switch error {
        case let error as KubeletError:
            Failure(
                error.code == .credential
                    ? .unreadable : [.patience, .unreachable].contains(error.code) ? .unreachable : .refused,
                error.description)
        case let error as KubernetesError:
            Failure(
                [.forbidden, .unauthorized, .invalid, .conflict].contains(error.code) ? .refused : .unreachable,
                "The API server: \(error)")
        case let error as ClusterConfiguration.Unusable: Failure(.unreadable, error.description)
        default: error
        }
    }
}
