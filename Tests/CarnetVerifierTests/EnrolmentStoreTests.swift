import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Testing

@Suite struct EnrolmentStoreTests {
    private let secret = [UInt8](repeating: 7, count: 32)

    private func record(_ id: String, _ identity: NodeIdentity, expiresAt: Int64 = 300) -> EnrolmentStore.Record {
        EnrolmentStore.Record(id: id, identity: identity, nonce: [1], selection: [2], expiresAt: expiresAt)
    }

    @Test("An enrolment is taken once, with its secret") func once() async throws {
        let store = EnrolmentStore(try await testDatabase())
        #expect(try await store.open(record("a", identity()), secret: secret, now: 0) == .opened)
        let taken = try #require(await store.take("a", secret: secret, now: 300))
        #expect(taken == record("a", identity()))
        #expect(try await store.take("a", secret: secret, now: 1) == nil)
    }

    @Test("A wrong secret burns the enrolment: the right one comes too late") func burning() async throws {
        let store = EnrolmentStore(try await testDatabase())
        for wrong in [[], [7], [UInt8](repeating: 8, count: 32), secret + [7], Array(secret.dropLast())] {
            #expect(try await store.open(record("a", identity()), secret: secret, now: 0) == .opened)
            #expect(try await store.take("a", secret: wrong, now: 1) == nil)
            #expect(try await store.take("a", secret: secret, now: 1) == nil)
        }
    }

    @Test("After its time an enrolment is void, and soon forgotten") func expiry() async throws {
        let database = try await testDatabase()
        let store = EnrolmentStore(database)
        _ = try await store.open(record("a", identity(name: 1)), secret: secret, now: 0)
        #expect(try await store.take("a", secret: secret, now: 301) == nil)
        _ = try await store.open(record("b", identity(name: 2)), secret: secret, now: 0)
        _ = try await store.open(record("c", identity(name: 3), expiresAt: 900), secret: secret, now: 301)
        #expect(try await database.read { try $0.rows("SELECT id FROM enrolments").map { try $0.text("id") } } == ["c"])
    }

    @Test("Only so many enrolments are open at once") func limit() async throws {
        let database = try await testDatabase()
        let store = EnrolmentStore(database)
        try await database.write { connection in
            for index in 0..<Int64(EnrolmentStore.maximumOpenCount) {
                try connection.execute(
                    """
                    INSERT INTO enrolments (id, name, endorsement, ek_digest, ek_public, ak_name, ak_public, secret_digest,
                        nonce, selection, expires_at)
                    SELECT \(String(index)), 'n', 'certificate', \([0]), \([0]), \([0]), \([0]), \([0]), \([0]), \([0]), 10
                    """)
            }
        }
        #expect(try await store.open(record("new", identity()), secret: secret, now: 0) == .tooMany)
        #expect(try await store.open(record("new", identity()), secret: secret, now: 11) == .opened)
    }

    @Test("One key has four open enrolments at most: a fifth closes its oldest, and nobody else's")
    func limitPerKey() async throws {
        let database = try await testDatabase()
        let store = EnrolmentStore(database)
        let other = record("other", identity(name: 2, endorsementKey: 2, attestationKey: 2), expiresAt: 1)
        #expect(try await store.open(other, secret: secret, now: 0) == .opened)
        for index in 0..<50 {
            let record = record("r\(index)", identity(), expiresAt: 300 + Int64(index))
            #expect(try await store.open(record, secret: secret, now: 0) == .opened)
        }
        let open = try await database.read { connection in
            try connection.rows("SELECT id FROM enrolments ORDER BY expires_at").map { try $0.text("id") }
        }
        #expect(open == ["other", "r46", "r47", "r48", "r49"])
    }
}
