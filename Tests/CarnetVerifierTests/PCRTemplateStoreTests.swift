import CarnetAppraisal
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Testing

@Suite("PCR templates in the database")
struct PCRTemplateStoreTests {
    private func template(_ name: String, _ byte: String) throws -> PCRTemplate {
        let value = String(repeating: byte, count: 32)
        return try PCRTemplate(parsing: Array("version: 1\nname: \(name)\nbanks: {sha256: {4: \(value)}}\n".utf8))
    }

    @Test("What one replica stores, replaces or removes counts at once in another that has read before")
    func replicas() async throws {
        let database = try await testDatabase()
        let one = PCRTemplateStore(database), other = PCRTemplateStore(database)
        func told() async throws -> [[PCRTemplate]] {
            var told: [[PCRTemplate]] = []
            for store in [one, other, one, other] { told.append(try await store.list().map(\.template)) }
            return told
        }
        let first = try template("fw", "ab"), second = try template("fw", "cd"), third = try template("gw", "ab")
        // The time is the same each time: only the bytes tell a change.
        for (stored, expected) in [
            (first, [first]), (second, [second]), (third, [second, third]), (first, [first, third]),
        ] {
            try await one.store(stored, by: "operator", now: 7)
            let templates = try await told()
            #expect(templates == Array(repeating: expected, count: 4))
        }
        let removed = try await other.remove("fw", by: "x", now: 1)
        let left = try await told()
        #expect(removed && left == Array(repeating: [third], count: 4))
    }

    @Test("A text that is no template stops the list, whatever was read before")
    func spoilt() async throws {
        let database = try await testDatabase(), store = PCRTemplateStore(database)
        try await store.store(try template("fw", "ab"), by: "operator", now: 7)
        _ = try await store.list()
        try await database.write { connection in
            try connection.execute("UPDATE pcr_templates SET text = \(Array("version: 2".utf8)) WHERE name = 'fw'")
        }
        for _ in 0..<2 { await #expect(throws: PolicyError.self) { _ = try await store.list() } }
    }

    @Test("A template that was replaced or removed is still found by the digest of its text") func kept() async throws {
        let store = PCRTemplateStore(try await testDatabase())
        let first = try template("fw", "ab"), second = try template("fw", "cd")
        try await store.store(first, by: "operator", now: 7)
        try await store.store(second, by: "operator", now: 8)
        #expect(try await store.remove("fw", by: "x", now: 9))
        let found = try await store.templates([second.digest, first.digest])
        #expect(found?.map(\.digest) == [second.digest, first.digest])
        #expect(try await store.templates([[1]]) == nil)
        #expect(try await store.list().isEmpty)
    }
}
