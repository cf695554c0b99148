import BrokerHarness
import CarnetBroker
import CarnetLedger
import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import ServiceHarness
import Testing
import VerifierHarness

/// One enrolled machine, its verifier, and a broker that asks that verifier, all over HTTP.
struct KeyBrokerScene: Sendable {
    let verifier: VerifierUnderTest
    let office: ServiceClient
    let broker: BrokerUnderTest
    let tpm: SimulatedTPM

    static let secret = Array("the disk's key".utf8)
    static let policy = """
        version: 1
        id: guests
        secrets: [default/key/*]
        forms: [kbs]
        passport: {key_protection: software}

        """
    /// A verifier's policy that a protocol without logs can meet.
    static func machinePolicy() throws -> String {
        try SimulatedTPM.policy().replacingOccurrences(of: "event_log: required", with: "event_log: optional")
    }

    /// Runs `body` with a broker that was never started.
    static func prepare(
        machinePolicy: String? = nil, enrolling isEnrolled: Bool = true,
        _ configure: @escaping @Sendable (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @Sendable (KeyBrokerScene) async throws -> Void
    ) async throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(Array((machinePolicy ?? Self.machinePolicy()).utf8), "policy.yaml")
        let verifier = try VerifierUnderTest { $0.policyFile = file }
        try await verifier.run { office in
            let tpm = try SimulatedTPM()
            if isEnrolled { try await SimulatedMachine(tpm, office).enrol(administrator: verifier.administrator) }
            let broker = try await BrokerUnderTest.trusting(verifier, office, configure)
            try await body(KeyBrokerScene(verifier: verifier, office: office, broker: broker, tpm: tpm))
        }
        withExtendedLifetime(folder) {}
    }

    /// Stores a secret and, unless it is `nil`, a policy.
    func fill(_ policy: String?, _ client: ServiceClient) async throws {
        #expect(try await broker.put("default/key/1", Self.secret, client).status == 201)
        if let policy { #expect(try await broker.policy(policy, client).status == 201) }
    }

    /// Runs `body` with a broker that has one secret and, unless it is `nil`, one policy.
    static func run(
        policy: String? = policy, machinePolicy: String? = nil, enrolling isEnrolled: Bool = true,
        _ configure: @escaping @Sendable (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @Sendable (KeyBrokerScene, ServiceClient) async throws -> Void
    ) async throws {
        try await prepare(machinePolicy: machinePolicy, enrolling: isEnrolled, configure) { scene in
            try await scene.broker.run { client in
                try await scene.fill(policy, client)
                try await body(scene, client)
            }
        }
    }

    /// The broker's ledger, as kinds and bodies.
    func entries() async throws -> [(kind: String, body: String)] { try await broker.entries() }
}
