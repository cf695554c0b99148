import CarnetRecords
import ArgumentParser
import CarnetCommandLine
import CarnetService
import CarnetServiceCommand
import CarnetStorage
import CarnetVerifier
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

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

    @Option(help: ArgumentHelp("Where to listen. Port 0 takes a free one.", valueName: "address:port"))
    var listen = "127.0.0.1:8443"

    @Flag(help: "Serve HTTP without TLS. Only on loopback.")
    var plainHttp = false

    @Option(help: ArgumentHelp("The certificate chain, PEM.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key, PEM, not readable by others.", valueName: "file"))
    var tlsPrivateKey: String?

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

    @Flag(help: "Serve GET /metrics, for Prometheus, beside the other calls: anybody may read it.")
    var metrics = false

    @Option(
        help: ArgumentHelp(
            "Serve GET /metrics here: without TLS on loopback, with the TLS files elsewhere.",
            valueName: "address:port"))
    var metricsListen: String?

    @Option(
        help: ArgumentHelp("How often the TLS files are looked at: 1 to 86400. SIGHUP looks now.", valueName: "seconds")
    )
    var tlsReloadSeconds: Int64 = 60

    @Option(
        help: ArgumentHelp(
            "How long to answer after SIGTERM, while readyz fails, before no connection is taken: 0 to 600.",
            valueName: "seconds"))
    var drainSeconds = 5

    @OptionGroup(title: "Limits") var limits: LimitOptions

    @Option(help: ArgumentHelp("Write the address here once it listens.", valueName: "file"))
    var addressFile: String?

    @Option(help: ArgumentHelp("The least level to log.", valueName: "level"))
    var logLevel = Logger.Level.info

    @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions

    @OptionGroup(title: "Once") var once: OnceOptions

    func run() async throws {
        if configurationOptions.printConfig { return try configurationOptions.printSettings(of: self) }
        let logger = Self.logger(logLevel), supervisor = Supervisor(ProcessInfo.processInfo.environment)
        do {
            let configuration = try verifierConfiguration(logger)
            if configurationOptions.checkConfig {
                let remarks = try await Verifier.check(configuration)
                Output.line("The settings can be used. Whether the addresses are free was not tried.")
                return remarks.forEach { Output.line($0) }
            }
            let verifier = try await Verifier(
                configuration,
                onMetricsListening: { port in
                    let address = "\(configuration.metricsAddress?.host ?? ""):\(port)"
                    logger.notice("listening for metrics", metadata: ["address": .string(address)])
                },
                onListening: { port in
                    await announce("\(configuration.address.host):\(port)", logger)
                    supervisor?.tell(.ready)
                })
            let group = ServiceGroup(
                configuration: .init(
                    services: [verifier, HangupSignal(supervisor) { verifier.lookAtCertificate() }],
                    gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
            try await group.run()
        } catch let error as ValidationError {
            throw error
        } catch {
            let message = Configuration.current?.located("\(error)") ?? "\(error)"
            try? FileHandle.standardError.write(contentsOf: Data("carnet-verifier: \(message)\n".utf8))
            throw ExitCode(1)
        }
    }

    private func verifierConfiguration(_ logger: Logger) throws -> VerifierConfiguration {
        guard let address = ListenAddress(listen) else {
            throw ValidationError(
                "--listen \(listen) is not an address and a port, such as 127.0.0.1:8443 or [::1]:8443")
        }
        var configuration = VerifierConfiguration(
            dataDirectory: state.data, address: address, security: try security(), issuer: issuer, audiences: audience,
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
        configuration.servesMetrics = metrics
        configuration.metricsAddress = try metricsListen.map { text in
            guard let address = ListenAddress(text) else {
                throw ValidationError("--metrics-listen \(text) is not an address and a port, such as 127.0.0.1:9464")
            }
            return address
        }
        guard (1...86_400).contains(tlsReloadSeconds) else {
            throw ValidationError("--tls-reload-seconds is 1 to 86400.")
        }
        configuration.certificateInterval = .seconds(tlsReloadSeconds)
        guard (0...600).contains(drainSeconds) else { throw ValidationError("--drain-seconds is 0 to 600.") }
        configuration.limits.drainSeconds = drainSeconds
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

    private func security() throws -> TransportSecurity {
        switch (plainHttp, tlsCertificate, tlsPrivateKey) {
        case (true, nil, nil): .plainHTTP
        case (false, let certificate?, let key?): .tls(certificateFile: certificate, privateKeyFile: key)
        case (true, _, _): throw ValidationError("Give either --plain-http or the two TLS files, not both.")
        default:
            throw ValidationError("Give --tls-certificate and --tls-private-key, or --plain-http on loopback.")
        }
    }

    private func announce(_ address: String, _ logger: Logger) async {
        logger.notice("listening", metadata: ["address": .string(address)])
        guard let addressFile else { return }
        do {
            try Data((address + "\n").utf8).write(to: URL(filePath: addressFile), options: .atomic)
        } catch {
            logger.error("cannot write the address file", metadata: ["file": .string(addressFile)])
        }
    }

    private static func logger(_ level: Logger.Level) -> Logger {
        Logger(label: "carnet-verifier") { label in
            var handler = JSONLinesLogHandler(label: label, now: { WallClock.system.now }) { line in
                _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            }
            handler.logLevel = level
            return handler
        }
    }
}
