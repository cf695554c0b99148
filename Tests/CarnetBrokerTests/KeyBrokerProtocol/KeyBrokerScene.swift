import BrokerHarness
import CarnetBroker
import CarnetRecords
import CarnetStorage
import Foundation
import ServiceHarness
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

    /// Runs `body` with a broker that has one secret and, unless it is `nil`, one policy.
    static func run(
        policy: String? = policy, machinePolicy: String? = nil, enrolling isEnrolled: Bool = true,
        approving isApproved: Bool = true,
        _ configure: @escaping @Sendable (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @Sendable (KeyBrokerScene, ServiceClient) async throws -> Void
    ) async throws {
        let text = try machinePolicy ?? Self.machinePolicy()
        let verifier = try VerifierUnderTest { $0.approvesOnEnrolment = isApproved }
        try await verifier.run { office in
            let stored = try await office.call(
                .post, "/admin/v1/policies", token: verifier.administrator, type: "application/yaml",
                body: Array(text.utf8))
            let digest = try stored.json["sha256"]?.string ?? ""
            _ = try await office.call(
                .post, "/admin/v1/policies/\(digest)/activation", token: verifier.administrator)
            let tpm = try SimulatedTPM()
            if isEnrolled {
                let machine = SimulatedMachine(tpm, office)
                try await machine.enrol(administrator: verifier.administrator)
            }
            let broker = try await BrokerUnderTest.trusting(verifier, office, configure)
            let scene = KeyBrokerScene(verifier: verifier, office: office, broker: broker, tpm: tpm)
            try await broker.run { client in
                guard try await broker.put("default/key/1", secret, client).status == 201 else { return }
                if let policy { try await broker.policy(policy, client) }
                try await body(scene, client)
            }
        }
    }

    /// The broker's ledger, as kinds and bodies.
    func entries() async throws -> [(kind: String, body: String)] {
        try await broker.ledger().database.read { connection in
            try connection.rows("SELECT kind, body FROM ledger ORDER BY number").map { row in
                (try row.text("kind"), String(decoding: try row.bytes("body"), as: UTF8.self))
            }
        }
    }
}
