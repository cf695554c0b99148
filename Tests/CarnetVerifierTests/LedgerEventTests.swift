import CarnetEvidence
import CarnetLedger
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

/// Everything that changes something leaves its one entry, in the transaction of the change.
@Suite struct LedgerEventTests {
    /// The entries of a verifier: kind, and the body's `action`, in their order.
    private func events(_ verifier: VerifierUnderTest) async throws -> [String] {
        let ledger = Ledger(try await verifier.database.open())
        var events: [String] = []
        for chain in try await ledger.chains() {
            for line in try await ledger.lines(of: chain.name, after: -1, limit: 1000) {
                guard case .entry(let record, _) = line else { continue }
                let body = try JSONDocument(parsing: record.body, maximumByteCount: 1 << 20).root
                events.append(body["action"]?.string ?? body["step"]?.string ?? record.kind)
            }
        }
        return events
    }

    @Test("Each call that changes something leaves one entry, and calls that change nothing leave none")
    func calls() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let admin = try verifier.administrator
            func expect(
                _ added: [String], _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil,
                type: String = "application/json", source: SourceLocation = #_sourceLocation
            ) async throws {
                let before = try await events(verifier).count
                _ = try await client.call(
                    method, path, token: admin, type: body.map { _ in type }, body: body.map { Array($0.utf8) })
                let after = try await events(verifier)
                #expect(Array(after.dropFirst(before)) == added, sourceLocation: source)
            }
            let digest = String(repeating: "ab", count: 32)
            try await expect(
                ["endorsement-key.register"], .post, "/admin/v1/endorsement-keys", #"{"sha256":"\#(digest)"}"#)
            try await expect([], .post, "/admin/v1/endorsement-keys", #"{"sha256":"\#(digest)"}"#)
            try await expect(["endorsement-key.unregister"], .delete, "/admin/v1/endorsement-keys/\(digest)")
            try await expect([], .delete, "/admin/v1/endorsement-keys/\(digest)")
            try await expect(
                ["api-token.create"], .post, "/admin/v1/api-tokens", #"{"name":"v","role":"viewer"}"#)
            try await expect([], .post, "/admin/v1/api-tokens", #"{"name":"v","role":"viewer"}"#)
            let list = try await client.call(.get, "/admin/v1/api-tokens", token: admin).json["api_tokens"]
            let tokens = try #require(list?.elements)
            let viewer = try #require(tokens.last?["id"]?.string), own = try #require(tokens.first?["id"]?.string)
            try await expect(["api-token.revoke"], .delete, "/admin/v1/api-tokens/\(viewer)")
            try await expect(["api-token.revoke"], .delete, "/admin/v1/api-tokens/\(own)")
            let policy = try SimulatedTPM.policy(id: "other")
            try await expect(["policy.store"], .post, "/admin/v1/policies", policy, type: "application/yaml")
            try await expect([], .post, "/admin/v1/policies", policy, type: "application/yaml")
            let stored = try await client.call(.get, "/admin/v1/policies", token: admin).json["policies"]
            let sha = try #require(
                stored?.elements?.first { $0["id"]?.string == "other" }?["sha256"]?.string)
            try await expect(["policy.activate"], .post, "/admin/v1/policies/\(sha)/activation")
            try await expect([], .post, "/admin/v1/policies/\(sha)/activation")
            try await expect(["policy.deactivate"], .post, "/admin/v1/policies/deactivation", #"{"id":"other"}"#)
            try await expect(
                ["pcr-template.store"], .post, "/admin/v1/pcr-templates",
                "version: 1\nname: fw\nbanks:\n  sha256:\n    0: \(digest)\n", type: "application/yaml")
            try await expect(["pcr-template.remove"], .delete, "/admin/v1/pcr-templates/fw")
            try await expect([], .delete, "/admin/v1/pcr-templates/fw")
            try await expect(["revocation"], .post, "/admin/v1/revocations", #"{"issued_before":1,"reason":"x"}"#)
            try await expect([], .get, "/admin/v1/ledger/chains")
        }
        let all = try await events(verifier)
        #expect(
            all.starts(with: ["key", "key", "policy.store", "policy.activate", "api-token.create", "start"])
                && all.last == "stop", "\(all)")
        #expect(all.filter { $0 == "start" }.count == 1 && all.filter { $0 == "policy.activate" }.count == 2)
    }

    @Test("A machine's life leaves its entries: asked, let in, judged, labelled, withdrawn, removed")
    func machine() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client), admin = try verifier.administrator
            let begun = try await events(verifier).count
            let id = try await machine.enrol(administrator: admin)
            _ = try await machine.answer(machine.session())
            machine.tpm.reboot(SimulatedTPM.badLog)
            _ = try await machine.answer(machine.session())
            _ = try await machine.answer(machine.session()) { $0.nonce[0] ^= 1 }
            _ = try await client.send(.put, "/admin/v1/nodes/\(id)/labels", token: admin, #"{"role":"worker"}"#)
            _ = try await client.send(
                .post, "/admin/v1/revocations", token: admin, #"{"node":"\#(id)","reason":"x"}"#)
            _ = try await client.call(.delete, "/admin/v1/nodes/\(id)", token: admin)
            let events = Array(try await events(verifier).dropFirst(begun))
            #expect(
                events == [
                    "endorsement-key.register", "enrolment-requested", "enrolment-activated", "appraisal", "appraisal",
                    "failed-appraisal", "node.label", "revocation", "enrolment-removed", "revocation",
                ])
        }
    }

    @Test("A transaction that changes rows and says that nothing happened is undone") func structure() async throws {
        let ledger = Ledger(try await testDatabase())
        await #expect(throws: StorageError(.refused, "")) {
            try await ledger.change(at: 1) { connection in
                try connection.execute("INSERT INTO readiness (id, checked_at) VALUES (7, 7)")
                return .nothing(())
            }
        }
        #expect(try await ledger.read { try $0.rows("SELECT * FROM readiness").isEmpty })
        #expect(try await ledger.chains().isEmpty)
    }

    @Test("No store writes to the database but through the ledger") func sources() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        var writers: Set<String> = []
        for target in ["CarnetBroker", "CarnetRecords", "CarnetVerifier"] {
            let folder = root.appending(path: target)
            let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            for case let file as URL in files where file.pathExtension == "swift" {
                let text = try String(contentsOf: file, encoding: .utf8)
                if text.contains("database.write") || text.contains("base.write") {
                    writers.insert(file.lastPathComponent)
                }
            }
        }
        // The keys' own store, the note of what wraps them, the row that is written to see whether anything can be, and the wrapper that
        // counts failures of whatever is written through it.
        let others: Set = [
            "KeyStore.swift", "KeyEncryptionKey+tables.swift", "Readiness.swift", "MeteredDatabase.swift",
        ]
        #expect(writers.subtracting(others) == ["Ledger.swift"])
    }

    @Test("Who did it is named as they were called then") func names() async throws {
        let database = try await testDatabase()
        let tokens = APITokenStore(database), ledger = Ledger(database)
        let (operatorToken, _) = try await tokens.create(name: "alice", role: .admin, by: "bootstrap", now: 1)
        _ = try await PolicyStore(database).add(
            .init(digest: [1], id: "p", text: [2], createdAt: 3, createdBy: operatorToken.id))
        let line = try #require(try await ledger.lines(of: "main", after: 0, limit: 1).first)
        let body = try JSONDocument(parsing: line.bytes, maximumByteCount: 4096).root["body"]
        #expect(body?["by"]?["name"]?.string == "alice" && body?["by"]?["id"]?.string == operatorToken.id)
        try await ledger.append(.key(KeyStep(keyID: "k", purpose: "signing", state: "next", by: nil)), at: 5)
        #expect(try await ledger.lines(of: "main", after: 1, limit: 9).count == 1)
        #expect(try await ledger.faults().isEmpty)
    }
}
