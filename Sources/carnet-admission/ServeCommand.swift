import ArgumentParser
import CarnetAdmission
import CarnetCommandLine
import CarnetRelyingOptions
import CarnetService
import CarnetServeOptions
import Foundation
import Logging

struct ServeCommand: AsyncParsableCommand, AlternativeSettings {
    static let alternatives: [Set<String>] = [["verifier", "bundle"], ["name-label", "names"]]
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Only attested nodes join a Kubernetes cluster, and only attested nodes stay.",
        discussion: """
            EXAMPLES
              A first look, beside a cluster, without the webhook:
                carnet-admission --kubeconfig gate.kubeconfig --plain-http \\
                    --listen 127.0.0.1:8643 --gates approver,controller \\
                    --audience https://cluster-a.example \\
                    --issuer https://verifier.example

              In a pod, as the manifests run it:
                carnet-admission --config /etc/carnet/admission.yaml

            GATES
              approver    approves requests for kubelets' certificates that show
                          a passport of the machine which is the node, bound to
                          the request's key; denies all others
              webhook     lets nodes register under their own names only, with
                          the taint, and keeps the gate's marks the gate's
              controller  taints, labels and tells of nodes whose passports ran
                          out, were withdrawn, or say no

            WHO IS WHICH NODE
              The operator says it: by the label kubernetes-node of the machine
              at the verifier (carnet node label), or in the file of --names.

            REPLICAS
              One leads, by a Lease in the gate's namespace: it approves and
              taints. Every replica answers the webhook.

            SETTINGS
              Every option below is a setting with one name: the flag
              --lapse-grace, the variable CARNET_ADMISSION_LAPSE_GRACE, and the
              key lapse-grace in the file. A flag goes before the variable, the
              variable before the file.

            SIGNALS
              SIGTERM, SIGINT  the lead is given back at once, and readyz fails;
                               the webhook goes on answering, until
                               --drain-seconds later no connection is taken
              SIGHUP           looks whether the TLS files have changed

            EXIT STATUS
              0  after SIGTERM or SIGINT
              1  it cannot start
              2  the command line, the environment or the file is wrong
            """)

    @OptionGroup var cluster: ClusterOptions

    @OptionGroup var listening: ListenOptions<AdmissionProgram>

    @OptionGroup var trust: TrustOriginOptions

    @OptionGroup var demand: DemandOptions

    @OptionGroup var requests: RequestOptions

    @OptionGroup var nodes: NodeOptions

    @OptionGroup(title: "Limits") var limits: ClientLimitOptions

    @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions

    func run() async throws {
        if configurationOptions.printConfig { return try configurationOptions.printSettings(of: self) }
        try await listening.serve { program in
            let configuration = try admissionConfiguration(program.logger)
            if configurationOptions.checkConfig {
                try AdmissionGate.check(configuration)
                return Output.line(
                    "The settings can be used. Whether the addresses are free, and the API server and the verifier answer, was not tried."
                )
            }
            let gate = try AdmissionGate(
                configuration, onMetricsListening: program.isListeningForMetrics, onListening: program.isListening)
            try await program.run(gate)
        }
    }

    private func admissionConfiguration(_ logger: Logger) throws -> AdmissionConfiguration {
        let environment = ProcessInfo.processInfo.environment
        let (server, namespace) = try cluster.server(environment)
        var configuration = AdmissionConfiguration(
            cluster: server, identity: cluster.identity ?? ClusterOptions.ownName(environment),
            address: try listening.address, security: try listening.security, audience: cluster.audience,
            trust: try trust.origin, now: { Int64(Date.now.timeIntervalSince1970) }, logger: logger)
        configuration.gates = Set(cluster.gates.flatMap(\.gates))
        if cluster.gates.isEmpty { configuration.gates = Set(AdmissionConfiguration.Gate.allCases) }
        configuration.namespace = namespace
        configuration.leaseDuration = .seconds(cluster.leaseSeconds)
        configuration.certificateInterval = try listening.certificateInterval
        configuration.servesMetrics = listening.metrics
        configuration.metricsAddress = try listening.metricsAddress
        configuration.serviceLimits.drainSeconds = try listening.checkedDrainSeconds
        configuration.maximumStatusAge = trust.maximumStatusAge
        configuration.minimumTier = demand.minimumTier.tier
        configuration.policies = Set(demand.policy)
        try requests.apply(to: &configuration)
        nodes.apply(to: &configuration)
        try limits.apply(to: &configuration.serviceLimits)
        return configuration
    }
}
