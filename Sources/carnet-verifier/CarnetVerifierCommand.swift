import CarnetRecords
import ArgumentParser
import CarnetServeOptions
import CarnetCommandLine
import CarnetService
import CarnetServiceCommand
import CarnetStorage
import CarnetVerifier
import Foundation
import Logging

struct ServeCommand: AsyncParsableCommand, AlternativeSettings {
    static let alternatives = [KeyEncryptionKeyOptions.names]
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Checks machines' TPM evidence and signs short-lived passports for those that are as they should be.",
        discussion: """
            EXAMPLES
              A first look, on this machine only:
                carnet-verifier --data ./verifier --plain-http \\
                    --listen 127.0.0.1:8443 --issuer https://verifier.example \\
                    --audience https://vault.example \\
                    --trust-anchors ./anchors --policy policy.yaml

              In production:
                carnet-verifier --data /var/lib/carnet --listen 0.0.0.0:443 \\
                    --tls-certificate cert.pem --tls-private-key key.pem \\
                    --issuer https://verifier.example \\
                    --audience https://vault.example \\
                    --trust-anchors /etc/carnet/trust-anchors \\
                    --policy prod-node.yaml

              The same, with its state in PostgreSQL; the password is in the
              file that PGPASSFILE names:
                carnet-verifier ... --database \\
                    'postgresql://carnet@db.example/carnet?sslmode=verify-full'

              Behind a proxy, whose X-Forwarded-For says who called it:
                carnet-verifier ... --trusted-proxy 10.0.0.2

              From a file, and what comes of it:
                carnet-verifier --config /etc/carnet/verifier.yaml --print-config
                CARNET_VERIFIER_LISTEN=127.0.0.1:8443 \\
                    carnet-verifier --config /etc/carnet/verifier.yaml

            SETTINGS
              Every option below is a setting with one name: the flag
              --token-lifetime, the variable CARNET_VERIFIER_TOKEN_LIFETIME, and
              the key token-lifetime in the file. A flag goes before the
              variable, the variable before the file. The variable of a list has
              spaces between its values, and that of a switch is true or false;
              --no-metrics takes back what file or environment switched on. A
              variable CARNET_VERIFIER_... that is no setting is an error.

            FILES
              The first start makes, in the data directory:
                carnet.sqlite        everything that lasts, without --database
                key-encryption-key   unwraps the keys in it
                ledger-chain         the name of its chain in the ledger
                ledger-checkpoint    the ledger's last signed checkpoint
              All have mode 0600; a verifier does not start when others can
              read one of the last three. The first administrator's API token comes
              from: carnet-verifier bootstrap

            KEYS
              The key-encryption key comes from a file, a variable of the
              environment, or a command, as one that asks this machine's TPM:
                --key-encryption-key-command \\
                    'carnet-agent kek unseal /etc/carnet/kek.sealed'

            SIGNALS
              SIGTERM, SIGINT  readyz fails at once; --drain-seconds later no
                               connection is taken, and 25 seconds after that
                               what is not answered is cut off
              SIGHUP           looks whether the TLS files have changed

            EXIT STATUS
              0  after SIGTERM or SIGINT
              1  it cannot start
              2  the command line, the environment or the file is wrong
            """)

    @OptionGroup var state: StateOptions

    @Option(help: ArgumentHelp("How many connections to PostgreSQL are open at most.", valueName: "number"))
    var databaseConnections = 8

    @OptionGroup var listening: ListenOptions<VerifierProgram>

    @OptionGroup var clientCertificates: ClientCertificateOptions

    @Option(help: ArgumentHelp("The verifier's own name in tokens, an https URI.", valueName: "uri"))
    var issuer: String

    @Option(help: ArgumentHelp("A relying party that may accept passports. Repeat it for more.", valueName: "name"))
    var audience: [String]

    @Option(
        help: ArgumentHelp("A policy to activate at the start. Without any, nothing is affirming.", valueName: "file"))
    var policy: String?

    @Option(help: ArgumentHelp("The certificates of the TPM makers whose chips may enrol.", valueName: "folder"))
    var trustAnchors: String?

    @Flag(help: "Approve machines with a good endorsement certificate without an operator.")
    var approveOnEnrolment = false

    @Option(help: ArgumentHelp("How long a passport is valid: 30 to 3600.", valueName: "seconds"))
    var tokenLifetime: Int64 = 300

    @Flag(help: "Issue passports without a status: they cannot be withdrawn before they expire.")
    var withoutStatusLists = false

    @Option(
        help: ArgumentHelp(
            "Addresses outside the public internet to which webhooks may go. Repeat it for more.",
            valueName: "address/prefix"))
    var webhookAllow: [String] = []

    @Option(
        help: ArgumentHelp(
            "The authorities that vouch for the receivers of webhooks, PEM, in place of the system's.",
            valueName: "file"))
    var webhookCaFile: String?

    @OptionGroup var keyEncryptionKey: KeyEncryptionKeyOptions

    @Option(help: ArgumentHelp("How long a signing key signs before the next does: 1 to 400.", valueName: "days"))
    var signingKeyDays: Int64 = 40

    @Option(
        help: ArgumentHelp(
            "How long a signing key is published before it signs, at least \(SigningKeySchedule.shortestLead).",
            valueName: "seconds"))
    var signingKeyLead: Int64 = 7200

    @OptionGroup(title: "Limits") var limits: LimitOptions

    @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions

    @OptionGroup(title: "Once") var once: OnceOptions

    func run() async throws {
        if configurationOptions.printConfig { return try configurationOptions.printSettings(of: self) }
        try await listening.serve { program in
            let configuration = try verifierConfiguration(program.logger)
            if configurationOptions.checkConfig {
                let remarks = try await Verifier.check(configuration)
                Output.line("The settings can be used. Whether the addresses are free was not tried.")
                return remarks.forEach { Output.line($0) }
            }
            let verifier = try await Verifier(
                configuration, onMetricsListening: program.isListeningForMetrics, onListening: program.isListening)
            try await program.run(verifier)
        }
    }

    private func verifierConfiguration(_ logger: Logger) throws -> VerifierConfiguration {
        var configuration = VerifierConfiguration(
            dataDirectory: state.data, address: try listening.address, security: try listening.security, issuer: issuer,
            audiences: audience,
            logger: logger)
        configuration.ledgerChain = state.ledgerChain
        configuration.changesIssuer = once.changeIssuer
        configuration.acceptsLedger = once.acceptLedger
        configuration.clientCertificates = try clientCertificates.settings
        guard (1...400).contains(signingKeyDays) else { throw ValidationError("--signing-key-days is 1 to 400.") }
        configuration.keyEncryptionKey = keyEncryptionKey.source
        configuration.signingKeys.period = signingKeyDays * 86_400
        configuration.signingKeys.lead = signingKeyLead
        configuration.database = try state.database?.address()
        configuration.databaseConnections = databaseConnections
        configuration.servesMetrics = listening.metrics
        configuration.metricsAddress = try listening.metricsAddress
        configuration.certificateInterval = try listening.certificateInterval
        configuration.limits.drainSeconds = try listening.checkedDrainSeconds
        configuration.receivers = try ReceiverRules(
            allowing: webhookAllow.map { text in
                guard let range = AddressRange(text) else {
                    throw ValidationError("--webhook-allow \(text) is no address and prefix, such as 10.20.0.0/16.")
                }
                return range
            })
        configuration.receiverAuthorityFile = webhookCaFile
        try limits.apply(to: &configuration)
        configuration.policyFile = policy
        configuration.trustAnchors = trustAnchors
        configuration.approvesOnEnrolment = approveOnEnrolment
        configuration.tokenLifetime = tokenLifetime
        configuration.refersToStatusLists = !withoutStatusLists
        return configuration
    }
}
