import CarnetClient
import ArgumentParser
import CarnetAgent
import CarnetAttester
import CarnetCommandLine
import CarnetService
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Keep a fresh passport, and give it to the programs of this machine.",
        discussion: """
            EXAMPLES
              carnet-agent run --verifier https://verifier.example --name node-17
              carnet-agent run --config /etc/carnet/agent.yaml
              carnet-agent run --config /etc/carnet/agent.yaml --print-config

              What programs of this machine do then:
                curl --unix-socket /run/carnet-agent/agent.sock \\
                    http://agent/v1/passport
                curl --unix-socket /run/carnet-agent/agent.sock \\
                    --json '{"method":"GET","url":"https://vault.example/x"}' \\
                    http://agent/v1/proofs

              Who may do it, beside root:
                carnet-agent run ... --allow-user vault \\
                    --allow status=group:adm --allow proofs=user:1000

            SETTINGS
              Every option below is a setting with one name: the flag
              --watch-seconds, the variable CARNET_AGENT_WATCH_SECONDS, and the
              key watch-seconds in the file. A flag goes before the variable,
              the variable before the file.

            SIGNALS
              SIGTERM, SIGINT  ends; socket and files are removed
              SIGHUP           attests as soon as it may

            EXIT STATUS
              0  after SIGTERM or SIGINT
              1  it cannot start: another agent runs, or a file cannot be used
              2  the command line, the environment or the file is wrong
            """)

    @OptionGroup var tpm: TPMOptions

    @Option(help: ArgumentHelp("The verifier's URL, https://…", valueName: "url"))
    var verifier: String

    @Option(help: ArgumentHelp("A PEM file of authorities to trust instead of the system's.", valueName: "file"))
    var caFile: String?

    @Flag(help: "Allow http:// to a loopback address.")
    var plainHTTP = false

    @Option(
        help: ArgumentHelp(
            "The name under which operators know this machine; by default its host name.", valueName: "name")
    )
    var name: String?

    @Option(help: "The attestation key: ecc (P-256) or rsa (2048).")
    var attestationKey: TPMDevice.AttestationKeyKind = .eccP256

    @Option(help: "The endorsement key: rsa (2048) or ecc (P-256); by default the one with a certificate.")
    var endorsementKey: EnrolCommand.EndorsementChoice?

    @OptionGroup var logs: LogOptions
    @OptionGroup var keys: BindingOptions

    @OptionGroup(title: "For the programs of this machine") var local: LocalOptions

    @Option(help: ArgumentHelp("How often to look whether the machine has changed: 1 to 3600.", valueName: "seconds"))
    var watchSeconds = 5

    @Option(
        help: ArgumentHelp(
            "From one attestation to the next at least, whatever happens: 1 to 3600.", valueName: "seconds"))
    var minimumSeconds: Int64 = 15

    @Option(
        help: ArgumentHelp(
            "The same where the kernel only measured more files: 1 to 3600.", valueName: "seconds"))
    var growthSeconds: Int64 = 60

    @Option(help: ArgumentHelp("The least level to log.", valueName: "level"))
    var logLevel = Logger.Level.info

    @OptionGroup(title: "Configuration") var configurationOptions: ConfigurationOptions

    func run() async throws {
        if configurationOptions.printConfig { return try configurationOptions.printSettings(of: self) }
        let (files, rules) = (try local.files, try local.rules)
        let pace = try pace()
        let connection: ServiceConnection
        do {
            connection = try ServiceConnection(verifier, allowPlainHTTP: plainHTTP, authorityFile: caFile)
        } catch {
            throw Failure(.unreadable, Configuration.current?.located(error.description) ?? error.description)
        }
        if configurationOptions.checkConfig {
            await connection.close()
            _ = try tpm.device()
            return Output.line("The settings can be used, and the TPM answers. The verifier was not asked.")
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await serve(connection, files, rules, pace))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        try result.get()
    }

    private func serve(
        _ connection: ServiceConnection, _ files: AgentFiles, _ rules: PeerRules, _ pace: RenewalPace
    ) async throws {
        let logger = Self.logger(logLevel), supervisor = Supervisor(ProcessInfo.processInfo.environment)
        let node = name ?? ProcessInfo.processInfo.hostName
        let machine = AttestingMachine(
            tpm: SharedTPM(tpm.tcti), stateIn: tpm.state,
            enrolment: Enrolment(
                name: node, attestationKey: attestationKey, endorsementKey: endorsementKey?.template),
            verifier: connection, logs: logs.sources, binding: keys.binding)
        var configuration = AgentConfiguration(
            machine: machine, node: node, verifier: connection.base, stateDirectory: tpm.state, socket: local.socket,
            rules: rules, logger: logger)
        configuration.files = files
        configuration.rates = try local.rates
        configuration.pace = pace
        configuration.watchSeconds = watchSeconds
        do {
            let daemon = try await AgentDaemon(configuration) { supervisor?.tell(.ready) }
            let group = ServiceGroup(
                configuration: .init(
                    services: [daemon, AgentHangupSignal(daemon: daemon, supervisor: supervisor)],
                    gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
            try await group.run()
        } catch let error as AgentStartError {
            throw Failure(.refused, "carnet-agent: \(Self.located(error.description))")
        } catch let error as ServiceStartError {
            throw Failure(.refused, "carnet-agent: \(Self.located(error.description))")
        }
    }

    private static func located(_ message: String) -> String {
        CarnetCommandLine.Configuration.current?.located(message) ?? message
    }

    private func pace() throws -> RenewalPace {
        guard (1...3600).contains(watchSeconds) else { throw ValidationError("--watch-seconds is 1 to 3600.") }
        guard RenewalPace.range.contains(minimumSeconds) else {
            throw ValidationError("--minimum-seconds is 1 to 3600.")
        }
        guard RenewalPace.range.contains(growthSeconds) else {
            throw ValidationError("--growth-seconds is 1 to 3600.")
        }
        return RenewalPace(floor: minimumSeconds, growthFloor: growthSeconds)
    }

    static func logger(_ level: Logger.Level) -> Logger {
        Logger(label: "carnet-agent") { label in
            var handler = JSONLinesLogHandler(label: label, now: { Int64(Date().timeIntervalSince1970) }) { line in
                _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            }
            handler.logLevel = level
            return handler
        }
    }
}
