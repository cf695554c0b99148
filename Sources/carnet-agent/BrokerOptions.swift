import CarnetClient
import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence

/// Which broker, and the verifier whose passport it takes.
struct BrokerOptions: ParsableArguments {
    @Option(help: "The broker's URL, https://…")
    var broker: String?

    @Option(help: "The verifier's URL, for the passport that is shown to the broker.")
    var verifier: String?

    @Option(name: .customLong("ca-file"), help: "A PEM file of authorities to trust instead of the system's.")
    var authorityFile: String?

    @Flag(help: "Allow http:// to a loopback address.")
    var plainHTTP = false

    @OptionGroup var logs: LogOptions

    /// Both URLs, which belong together.
    func urls() throws -> (broker: String, verifier: String)? {
        switch (broker, verifier) {
        case (nil, nil): return nil
        case (let broker?, let verifier?): return (broker, verifier)
        default: throw ValidationError("Give --broker and --verifier together: the broker wants a passport.")
        }
    }

    /// Attests, and calls `body` with a client that shows the passport.
    ///
    /// - Parameter includesStorageKey: Whether the passport binds a storage key, for import blobs.
    func withClient<Value>(
        _ tpm: TPMOptions, _ device: TPMDevice, _ urls: (broker: String, verifier: String),
        includesStorageKey: Bool = false, _ body: (BrokerClient, HeldPassport) async throws -> Value
    ) async throws -> Value {
        let binding = KeyBinding(.tpmState, includesStorageKey: includesStorageKey)
        let collector = EvidenceCollector(device: device, state: try tpm.enrolledState(), binding: binding)
        let passport = try await Self.passport(
            collector, try connection(urls.verifier, "verifier"), logs.sources)
        let broker = try connection(urls.broker, "broker")
        let result: Result<Value, any Error>
        do {
            result = .success(
                try await body(
                    BrokerClient(broker, passport: passport, collector: collector, logs: logs.sources), passport))
        } catch { result = .failure(error) }
        await broker.close()
        return try result.get()
    }

    private func connection(_ url: String, _ service: String) throws -> ServiceConnection {
        try ServiceConnection(url, allowPlainHTTP: plainHTTP, authorityFile: authorityFile, service: service)
    }

    /// A passport that is fresh: the state of now is what matters.
    private static func passport(
        _ collector: EvidenceCollector, _ verifier: ServiceConnection, _ logs: LogSources
    ) async throws -> HeldPassport {
        let result: Result<AttesterClient.Attested, any Error>
        do {
            result = .success(try await AttesterClient(verifier).attest(collector, logs: logs))
        } catch { result = .failure(error) }
        await verifier.close()
        let attested = try result.get()
        guard let passport = attested.token.flatMap(HeldPassport.init), passport.status == "affirming" else {
            throw Failure(
                .refused,
                (["The machine is not what the policy allows, and gets no passport:"] + attested.findings.map(\.text))
                    .joined(separator: "\n"))
        }
        return passport
    }
}
