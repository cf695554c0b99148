import ArgumentParser
import CarnetBroker
import CarnetCommandLine
import CarnetRecords
import CarnetRelyingOptions
import CarnetService
import CarnetServeOptions
import CarnetServiceCommand
import Foundation
import Logging

struct ServeCommand: AsyncParsableCommand, AlternativeSettings {
    static let alternatives = [KeyEncryptionKeyOptions.names, ["verifier", "bundle"]]
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Keeps secrets, and gives them to machines whose passports say that they may have them.",
        discussion: """
            EXAMPLES
              A first look, on this machine only:
                carnet-broker --data ./broker --plain-http \\
                    --listen 127.0.0.1:8553 --url http://127.0.0.1:8553 \\
                    --audience https://vault.example \\
                    --issuer https://verifier.example \\
                    --verifier http://127.0.0.1:8443 --verifier-plain-http

              In production:
                carnet-broker --data /var/lib/carnet-broker \\
                    --listen 0.0.0.0:443 --url https://broker.example \\
                    --tls-certificate cert.pem --tls-private-key key.pem \\
                    --audience https://broker.example \\
                    --issuer https://verifier.example

              Without a network to the verifier, from a trust bundle:
                carnet-broker ... --bundle bundle.jws --bundle-root THUMBPRINT

            TRUST
              The broker checks passports by itself. It fetches the verifier's
              keys and status lists when they are due, or reads them from a
              bundle. It asks the verifier for a verdict only where a release
              policy demands evidence at the moment of release: then it needs
              --verifier-token-file, with an API token of the role
              relying-party whose name is the broker's --audience.

            SETTINGS
              Every option below is a setting with one name: the flag
              --machine-rate, the variable CARNET_BROKER_MACHINE_RATE, and the
              key machine-rate in the file. A flag goes before the variable,
              the variable before the file.

            FILES
              The first start makes, in the data directory:
                carnet.sqlite        everything that lasts, without --database
                key-encryption-key   unwraps the secrets in it
                ledger-chain         the name of its chain in the ledger
                ledger-checkpoint    the ledger's last signed checkpoint

            SIGNALS
              SIGTERM, SIGINT  readyz fails at once; --drain-seconds later no
                               connection is taken
              SIGHUP           looks whether the TLS files have changed

            EXIT STATUS
              0  after SIGTERM or SIGINT
              1  it cannot start
              2  the command line, the environment or the file is wrong
            """)

    @OptionGroup var state: StateOptions

    @Option(help: ArgumentHelp("How many connections to PostgreSQL are open at most.", valueName: "number"))
    var databaseConnections = 8

    @OptionGroup var listening: ListenOptions<BrokerProgram>

    @OptionGroup var clientCertificates: ClientCertificateOptions

    @Option(help: ArgumentHelp("How machines call this broker; what their proofs name.", valueName: "url"))
    var url: String

    @Option(help: ArgumentHelp("The broker's own name in passports' aud; by default --url.", valueName: "name"))
    var audience: String?

    @OptionGroup var trust: TrustOriginOptions

    @Option(
        help: ArgumentHelp(
            "The API token for background checks: role relying-party, named as --audience.", valueName: "file"))
    var verifierTokenFile: String?

    @OptionGroup var keyEncryptionKey: KeyEncryptionKeyOptions

    @Option(help: ArgumentHelp("How often one machine may ask in a minute; 0 for no limit.", valueName: "number"))
    var machineRate = 60

    @Option(help: ArgumentHelp("How often it may at once.", valueName: "number"))
    var machineBurst = 60

    @OptionGroup(title: "Limits") var limits: ClientLimitOptions

    @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions

    @OptionGroup(title: "Once") var once: OnceOptions

    /// What is said at one start and at no other, and so on the command line only.
    struct OnceOptions: CommandLineOnly {
        @Flag(
            help:
                "Take the ledger as the database has it, after an older database was restored. The ledger tells of it.")
        var acceptLedger = false
    }

    func run() async throws {
        if configurationOptions.printConfig { return try configurationOptions.printSettings(of: self) }
        try await listening.serve { program in
            let configuration = try brokerConfiguration(program.logger)
            if configurationOptions.checkConfig {
                let remarks = try await Broker.check(configuration)
                Output.line("The settings can be used. Whether the addresses are free was not tried.")
                return remarks.forEach { Output.line($0) }
            }
            let broker = try await Broker(
                configuration, onMetricsListening: program.isListeningForMetrics, onListening: program.isListening)
            try await program.run(broker)
        }
    }

    private func brokerConfiguration(_ logger: Logger) throws -> BrokerConfiguration {
        var records = RecordsSettings(dataDirectory: state.data, name: url, logger: logger)
        try state.check()
        records.database = try state.database?.address()
        records.databaseConnections = databaseConnections
        records.keyEncryptionKey = keyEncryptionKey.source
        records.ledgerChain = state.ledgerChain
        records.acceptsLedger = once.acceptLedger
        var configuration = BrokerConfiguration(
            records: records, address: try listening.address, security: try listening.security, url: url,
            audience: audience ?? url, trust: try trust.origin)
        configuration.clientCertificates = try clientCertificates.settings
        configuration.certificateInterval = try listening.certificateInterval
        configuration.servesMetrics = listening.metrics
        configuration.metricsAddress = try listening.metricsAddress
        configuration.limits.drainSeconds = try listening.checkedDrainSeconds
        configuration.maximumStatusAge = trust.maximumStatusAge
        configuration.machineRate = RateLimit(perMinute: machineRate, burst: machineBurst)
        try limits.apply(to: &configuration.limits)
        if let verifierTokenFile {
            guard let base = trust.verifier ?? trust.issuer else {
                throw ValidationError("--verifier-token-file is for a verifier: give --verifier.")
            }
            configuration.backgroundChecks = .init(
                url: base, tokenFile: verifierTokenFile, authorityFile: trust.verifierCaFile,
                allowsPlainHTTP: trust.verifierPlainHttp)
        }
        return configuration
    }
}
