import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import StrictEncoding

struct NodeShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one machine: its keys and labels, how it attested last, what it measured, and its disks' keys.",
        discussion: """
            Examples:
              carnet node show node-17
              carnet node show node-17 --measurements
              carnet node show node-17 --broker https://broker.example --broker-token-file broker.token --json

            PCRs and measurements are those of the last authentic evidence. What is said of disks is the broker's word, and to which PCRs they
            are sealed the machine's own. While the broker cannot be asked, the rest is shown, and the exit status is 3.
            """)

    @Argument(help: "The node's name or identifier.")
    var node: String

    @Flag(help: "List the events of its log, as `carnet inspect event-log` does.")
    var measurements = false

    @Option(help: "The broker that keeps its disks' keys; by default the environment's CARNET_BROKER.")
    var broker: String?

    @Option(help: "The file of your API token there; by default the environment's CARNET_BROKER_TOKEN_FILE.")
    var brokerTokenFile: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let identifier = try await options.nodeIdentifier(node)
        let answer = try await options.send("GET", "/admin/v1/nodes/\(identifier)")
        var report = NodeReport(answer)
        report.attestation = try await .last(of: identifier, options)
        report.evidence = try await .last(of: identifier, options, listing: measurements)
        var failure: Failure?
        if let brokerOptions = try brokerOptions() {
            do {
                report.dataAtRest = try await EscrowListCommand.entries(of: report.subject, brokerOptions)
            } catch let error as Failure {
                // What the verifier knows is worth seeing without it.
                report.dataAtRestError = error.message
                failure = Failure(error.status, "Of data at rest nothing is known: \(error.message)")
            }
        }
        if json { try Output.json(report) } else { report.print() }
        if let failure { throw failure }
    }

    /// The broker, where one is named; its other settings are the verifier's.
    private func brokerOptions() throws -> BrokerOptions? {
        guard let url = broker ?? VerifierAddress.environment("CARNET_BROKER") else { return nil }
        let tokenFile = brokerTokenFile ?? VerifierAddress.environment("CARNET_BROKER_TOKEN_FILE")
        let certificate = options.certificate
        var words = ["--broker", url]
        if let tokenFile {
            words += ["--token-file", tokenFile]
        } else if !certificate.isGiven {
            guard broker != nil else { return nil }
            throw ValidationError(
                "With which API token? Give --broker-token-file, or set CARNET_BROKER_TOKEN_FILE; or a certificate: --client-certificate."
            )
        }
        if let file = certificate.clientCertificate { words += ["--client-certificate", file] }
        if let file = certificate.clientKey { words += ["--client-key", file] }
        if let file = options.address.authorityFile { words += ["--ca-file", file] }
        if options.address.plainHTTP { words.append("--plain-http") }
        return try BrokerOptions.parse(words)
    }
}

struct NodeEvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Print the last authentic evidence of a machine, with its logs, as the verifier keeps it: JSON.",
        discussion: "Example:\n  carnet node evidence node-17 --out evidence.json")

    @Argument(help: "The node's name or identifier.")
    var node: String

    @Option(help: "The file for it; by default standard output.")
    var out: String?

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        let identifier = try await options.nodeIdentifier(node)
        let answer = try await options.withConnection { connection in
            try await connection.send("GET", "/admin/v1/nodes/\(identifier)/evidence", maximumByteCount: 64 << 20).body
        }
        try Output.bytes(answer + [0x0A], to: out)
    }
}
