import CarnetEvidence
import CarnetService
import CarnetStorage
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// A verdict that was reached once can be reached again, byte for byte.
@Suite struct ReappraisalTests {
    private func reappraise(
        _ id: String, _ verifier: VerifierUnderTest, _ client: ServiceClient
    ) async throws -> ServiceClient.Answer {
        let admin = try verifier.administrator
        let kept = try await client.call(.get, "/admin/v1/nodes/\(id)/evidence", token: admin)
        let place = try #require(try kept.json["appraisal"]?.string, "\(kept.text)")
        return try await client.call(.post, "/admin/v1/appraisals/\(place)/reappraisal", token: admin)
    }

    @Test("After a restart and another policy, good and bad verdicts are the same")
    func same() async throws {
        let verifier = try verifierWithPolicy(), tpm = try SimulatedTPM()
        let id = try await verifier.run { client in
            let machine = SimulatedMachine(tpm, client)
            let id = try await machine.enrol(administrator: verifier.administrator)
            tpm.reboot(SimulatedTPM.badLog)
            _ = try await machine.answer(machine.session())
            return id
        }
        verifier.clock.advance(by: 100_000)
        try await verifier.run { client in
            let admin = try verifier.administrator
            let bad = try await reappraise(id, verifier, client)
            #expect(try bad.status == 200 && bad.json["same"]?.boolean == true, "\(bad.text)")
            #expect(try bad.json["recorded"]?["outcome"]?.string == "contraindicated")
            #expect(try bad.json["recorded"]?["findings"]?.elements?.isEmpty == false)
            let other = try SimulatedTPM.policy(id: "test", pcrs: [0, 1, 2, 3, 4, 7])
            let stored = try await client.call(
                .post, "/admin/v1/policies", token: admin, type: "application/yaml", body: Array(other.utf8))
            let sha = try #require(try stored.json["sha256"]?.string)
            _ = try await client.call(.post, "/admin/v1/policies/\(sha)/activation", token: admin)
            let still = try await reappraise(id, verifier, client)
            #expect(still.body == bad.body)
            let machine = SimulatedMachine(tpm, client)
            tpm.reboot()
            _ = try await machine.answer(machine.session())
            let good = try await reappraise(id, verifier, client)
            #expect(try good.json["same"]?.boolean == true && good.json["policy_sha256"]?.string == sha)
            #expect(try good.json["reached"]?["outcome"]?.string == "affirming", "\(good.text)")
        }
    }

    @Test("A background check can be done again, and the relying party's nonce is not kept") func background()
        async throws
    {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let id = try await machine.enrol(administrator: verifier.administrator)
            let token = try await verifier.token(.relyingParty, named: "https://r.example", client)
            let nonce = [UInt8](repeating: 7, count: 32), session = try await machine.session()
            let evidence = try machine.tpm.evidence(nonce: nonce, session.selection)
            let body = JSONWriter.object { writer in
                writer.base64URL("nonce", nonce)
                writer.json("evidence", evidence.bytes)
            }
            let answer = try await client.call(
                .post, "/background-check/v1/appraisals", token: token, type: "application/json", body: body)
            #expect(answer.status == 200)
            let again = try await reappraise(id, verifier, client)
            #expect(try again.json["same"]?.boolean == true, "\(again.text)")
        }
        let content = try await verifier.database.content()
        #expect(!content.isEmpty)
        #expect(content.range(of: Data(Base64URL.encode([UInt8](repeating: 7, count: 32)).utf8)) == nil)
    }

    /// What is changed in the database, and what the answer says of it.
    static let edits: [(Edit, String)] = [
        (.inputs, "inputs"), (.entries, "entry"), (.entries, "verdict"), (.evidence, "evidence"),
    ]

    /// Which bytes somebody who can write to the database changes.
    enum Edit: Sendable {
        case inputs, evidence, entries

        func make(_ connection: any SQLConnection) throws {
            switch self {
            case .inputs:
                for row in try connection.rows("SELECT inputs FROM last_evidence") {
                    let bytes = replacing("\"time\":1", by: "\"time\":2", in: try row.bytes("inputs"))
                    try connection.execute("UPDATE last_evidence SET inputs = \(bytes)")
                }
            case .evidence:
                for row in try connection.rows("SELECT evidence FROM last_evidence") {
                    let bytes = try row.bytes("evidence") + Array(" ".utf8)
                    try connection.execute("UPDATE last_evidence SET evidence = \(bytes)")
                }
            case .entries:
                for row in try connection.rows("SELECT chain, number, body FROM ledger") {
                    let bytes = replacing("affirming", by: "warning", in: try row.bytes("body"))
                    try connection.execute(
                        """
                        UPDATE ledger SET body = \(bytes)
                        WHERE chain = \(try row.text("chain")) AND number = \(try row.integer("number"))
                        """)
                }
            }
        }

        private func replacing(_ old: String, by new: String, in bytes: [UInt8]) -> [UInt8] {
            Array(String(decoding: bytes, as: UTF8.self).replacing(old, with: new).utf8)
        }
    }

    @Test("What was changed meanwhile is told", arguments: edits.indices) func changed(_ index: Int) async throws {
        let (edit, difference) = Self.edits[index]
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let id = try await machine.enrol(administrator: verifier.administrator)
            _ = try await machine.answer(machine.session())
            let database = try await verifier.database.open()
            try await database.write { try edit.make($0) }
            let answer = try await reappraise(id, verifier, client)
            let differences = try answer.json["differences"]?.elements?.compactMap(\.string) ?? []
            #expect(try answer.json["same"]?.boolean == false && differences.contains(difference), "\(answer.text)")
        }
    }

    @Test("What is not there, or not kept, is said so") func absent() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client), admin = try verifier.administrator
            _ = try await machine.enrol(administrator: admin)
            _ = try await machine.answer(machine.session())
            let list = try await client.call(.get, "/admin/v1/appraisals", token: admin)
            let first = try #require(try list.json["appraisals"]?.elements?.first?["id"]?.string)
            _ = try await machine.answer(machine.session())
            let old = try await client.call(.post, "/admin/v1/appraisals/\(first)/reappraisal", token: admin)
            #expect(old.status == 409 && old.problem == "not-kept")
            for id in ["x", "x.1", "x.-1", ".", "\(first)0000", String(repeating: "9", count: 200)] {
                let answer = try await client.call(.post, "/admin/v1/appraisals/\(id)/reappraisal", token: admin)
                #expect(answer.status == 404, "\(id)")
            }
        }
    }
}
