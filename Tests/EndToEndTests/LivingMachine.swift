import CarnetClient
import CarnetAttester
import CarnetEvidence
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// A machine of real TPM commands from boot to boot, its verifier, and the operator's command line.
struct LivingMachine: Sendable {
    /// Its name.
    static let name = "node-17"

    let tpm: SoftwareTPM
    let office: Office
    /// For files.
    let folder: TemporaryDirectory
    private let client: ServiceClient
    private let state: AttesterState

    /// Boots, enrols and calls `body`, under a verifier whose first policy is `policy`.
    static func enrolled(
        _ log: EventLogBuilder, _ runtime: RuntimeLogBuilder? = nil, policy: String,
        _ body: @Sendable (LivingMachine) async throws -> Void
    ) async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory()
        try tpm.measure(log)
        if let runtime { try tpm.measure(runtime) }
        let office = try Office(trusting: tpm, policy: policy)
        try await office.verifier.run { client in
            let machine = LivingMachine(
                tpm: tpm, office: office, folder: folder, client: client, state: AttesterState())
            let collector = try machine.collector
            _ = try await machine.connected {
                try await $0.enrol(
                    collector, name: name, template: .rsa2048, logs: sources(log.bytes, runtime?.bytes))
            }
            try await body(machine)
        }
    }

    /// Power off and on; everything of the logs is measured.
    func boot(_ log: EventLogBuilder, _ runtime: RuntimeLogBuilder? = nil) throws {
        try tpm.reboot()
        try tpm.measure(log)
        if let runtime { try tpm.measure(runtime) }
    }

    /// What TPM2_PCR_Read says.
    func pcrs(_ indices: [Int]) throws -> [Int: [UInt8]] {
        try tpm.device().readPCRs(TPM.PCRSelectionList(bank: .sha256, indices: indices))[.sha256] ?? [:]
    }

    /// How an attestation ended.
    struct Outcome: Sendable {
        /// `ear_status` of the token; `failed` when there is none.
        let status: String
        let findings: [Finding]

        var rules: [String] { findings.map(\.rule) }
    }

    /// Attests over HTTP. What the answer says, the ledger and `carnet node findings` have to say too, word for word.
    func attest(_ log: EventLogBuilder, _ runtime: RuntimeLogBuilder? = nil) async throws -> Outcome {
        try await attest(log.bytes, runtime: runtime?.bytes)
    }

    /// As ``attest(_:_:)``, with logs that are sent whatever was measured.
    func attest(_ log: [UInt8], runtime: [UInt8]?) async throws -> Outcome {
        let collector = try collector
        let attested = try await connected { try await $0.attest(collector, logs: Self.sources(log, runtime)) }
        let outcome = Outcome(status: try Self.status(attested.token), findings: attested.findings)
        let kept = try await office.lastAppraisal(client)
        #expect(try (kept?["findings"]?.elements ?? []).map(Finding.init) == outcome.findings)
        #expect(kept?["outcome"]?.string == outcome.status)
        let json = try await carnet(["node", "findings", Self.name, "--limit", "1", "--json"])
        let told = try JSONDecoder().decode([Told].self, from: Data(json.output))
        #expect(told.map(\.findings) == [outcome.findings] && told.first?.outcome == outcome.status)
        let text = try await carnet(["node", "findings", Self.name, "--limit", "1"]).text
        for finding in outcome.findings {
            #expect(text.contains(finding.text + "\n"))
        }
        return outcome
    }

    private struct Told: Decodable {
        let outcome: String
        let findings: [Finding]
    }

    /// What `carnet-agent attest` prints, run as a program on this machine.
    func agent(_ log: EventLogBuilder) async throws -> Program.Ending {
        var state = state
        state.subject = "urn:carnet:node:test"
        try state.save(in: folder.path + "/agent")
        return try await Program("carnet-agent").run([
            "attest", "--event-log", try folder.write(log.bytes, "event-log.bin"), "--tcti", tpm.tcti, "--state",
            folder.path + "/agent", "--verifier", "http://127.0.0.1:\(client.port)", "--plain-http",
        ])
    }

    /// Runs `carnet` as the verifier's administrator.
    @discardableResult
    func carnet(_ arguments: [String], succeeds: Bool = true) async throws -> Program.Ending {
        let ending = try await Program("carnet").run(
            arguments,
            environment: [
                "CARNET_VERIFIER": "http://127.0.0.1:\(client.port)", "CARNET_PLAIN_HTTP": "1",
                "CARNET_TOKEN_FILE": office.verifier.administratorFile,
            ])
        #expect((ending.status == 0) == succeeds, "\(arguments): \(ending.status) \(ending.errors) \(ending.text)")
        return ending
    }

    /// Activates a policy.
    func activate(_ policy: String) async throws {
        try await carnet(["policy", "activate", try folder.write(Array(policy.utf8), "policy.yaml")])
    }

    private var collector: EvidenceCollector {
        get throws { EvidenceCollector(device: try tpm.device(), state: state) }
    }

    private func connected<Value: Sendable>(
        _ body: (AttesterClient) async throws -> Value
    ) async throws -> Value {
        let connection = try ServiceConnection("http://127.0.0.1:\(client.port)", allowPlainHTTP: true)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(AttesterClient(connection)))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        return try result.get()
    }

    private static func sources(_ log: [UInt8], _ runtime: [UInt8]?) -> LogSources {
        LogSources(eventLog: .bytes(log), runtimeLog: runtime.map { .bytes($0) } ?? .nowhere)
    }

    private static func status(_ token: [UInt8]?) throws -> String {
        guard let token else { return "failed" }
        let payload = token.split(separator: UInt8(ascii: "."))[1]
        let claims = try JSONDocument(parsing: Base64URL.decode(payload) ?? [], maximumByteCount: 65_536).root
        return claims["ear_status"]?.string ?? "none"
    }
}
