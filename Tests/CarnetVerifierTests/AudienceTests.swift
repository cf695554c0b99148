import CarnetEvidence
import CarnetRelyingParty
import CarnetVerifier
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// A machine says whom its passport is for. The verifier has three audiences.
@Suite("Passports for one audience")
struct AudienceTests {
    private static let clusters = ["https://cluster-a.example", "urn:cluster:b&c=d"]

    private func withMachine(_ body: @Sendable (SimulatedMachine, ServiceClient) async throws -> Void) async throws {
        let verifier = try verifierWithPolicy { $0.audiences += Self.clusters }
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            try await body(machine, client)
        }
    }

    private static func answer(
        _ machine: SimulatedMachine, _ client: ServiceClient, _ session: SimulatedMachine.Session, _ query: String
    ) async throws -> ServiceClient.Answer {
        let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
        return try await client.call(.post, session.path + query, type: Evidence.mediaType, body: evidence)
    }

    private static func audiences(_ answer: ServiceClient.Answer) throws -> [String] {
        let token = try #require(answer.json["result"]?.string)
        let payload = try #require(Base64URL.decode(token.split(separator: ".")[1]))
        let audience = try JSONDocument(parsing: payload, maximumByteCount: 16_384).root["aud"]
        return audience?.string.map { [$0] } ?? audience?.elements?.compactMap(\.string) ?? []
    }

    @Test("Without the parameter a passport is for all, with it for the one that is named")
    func named() async throws {
        try await withMachine { machine, client in
            let all = try await Self.answer(machine, client, machine.session(), "")
            #expect(try Self.audiences(all) == [VerifierUnderTest.audience] + Self.clusters)
            for query in ["?audience=https://cluster-a.example", "?audience=https%3A%2F%2Fcluster%2Da%2Eexample"] {
                let one = try await Self.answer(machine, client, machine.session(), query)
                #expect(try Self.audiences(one) == ["https://cluster-a.example"])
            }
            let odd = try await Self.answer(machine, client, machine.session(), "?audience=urn:cluster:b%26c=d")
            #expect(try Self.audiences(odd) == [Self.clusters[1]])
        }
    }

    @Test(
        "Another name, or another parameter, is refused, and uses nothing up",
        arguments: [
            "?audience=https://cluster-b.example", "?audience=", "?audience=HTTPS://cluster-a.example",
            "?audience=https://cluster-a.example/", "?audience=https://cluster-a.example%20",
            "?audience=https://cluster-a.example&audience=https://vault.example", "?aud=https://cluster-a.example",
            "?audience=urn:cluster:b&c=d", "?audience=https://cluster-a.example,https://vault.example",
        ])
    func refused(query: String) async throws {
        try await withMachine { machine, client in
            let session = try await machine.session()
            let refused = try await Self.answer(machine, client, session, query)
            #expect(refused.status == 400 && refused.text.contains("\"?"), "\(refused.text)")
            #expect(try await Self.answer(machine, client, session, "").status == 200)
        }
    }
}
