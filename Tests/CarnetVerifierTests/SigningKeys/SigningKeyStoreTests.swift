import CarnetLedger
import CarnetResult
import CarnetService
import CarnetStorage
import Cryptography
import Fixtures
import Foundation
import StrictEncoding
import Testing

@testable import CarnetRecords
@testable import CarnetVerifier

/// Signing keys in a database, at times that the tests choose.
@Suite("Signing keys in the database") struct SigningKeyStoreTests {
    private static let start: Int64 = 1_000_000
    private let kek: KeyEncryptionKey
    private let other: KeyEncryptionKey

    init() throws {
        kek = try #require(KeyEncryptionKey(line: Array(Base64URL.encode(SecureRandom.bytes(32)).utf8)))
        other = try #require(KeyEncryptionKey(line: Array(Base64URL.encode(SecureRandom.bytes(32)).utf8)))
    }

    private func store(_ database: any SQLDatabase, _ key: KeyEncryptionKey? = nil) -> SigningKeyStore {
        SigningKeyStore(Ledger(database), key ?? kek, SigningKeySchedule())
    }

    /// A database with its first keys, and its store.
    private func begun() async throws -> (database: any SQLDatabase, store: SigningKeyStore) {
        let database = try await testDatabase(), store = store(database)
        try await kek.takeCharge(of: database, .verifier)
        try await store.begin(at: Self.start)
        return (database, store)
    }

    private func rows(_ database: any SQLDatabase) async throws -> [SQLRow] {
        try await database.read { try $0.rows("SELECT * FROM signing_keys ORDER BY published_at, state") }
    }

    private static let decision = SigningKeyStore.Decision(by: "0123456789abcdef", reason: "A test")
    private static var ripe: Int64 { start + SigningKeySchedule().lead }

    @Test("Replicas that start at once make one pair of keys, and each finds them") func start() async throws {
        let database = try await testDatabase()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { try await store(database).begin(at: Self.start) } }
            try await group.waitForAll()
        }
        #expect(try await store(database).records().map(\.state.rawValue).sorted() == ["current", "next"])
        let (current, keys) = try await store(database).keys(reusing: [:])
        #expect(keys.count == 2 && keys[current]?.keyID == current)
        let lines = try await Ledger(database).lines(of: "main", after: -1, limit: 10)
        let kinds = lines.map { line in
            guard case .entry(let record, hash: _) = line else { return "?" }
            return record.kind
        }
        #expect(kinds == ["key", "key"])
    }

    @Test("Two replicas that race for one rotation make one new key") func race() async throws {
        let (database, store) = try await begun()
        let refusals = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do {
                        _ = try await store.rotate(at: Self.ripe, Self.decision)
                        return 0
                    } catch {
                        return error is SigningKeyRing.Refusal ? 1 : 100
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(refusals == 7)
        #expect(try await store.records().map(\.state.rawValue).sorted() == ["current", "next", "retiring"])
        // The same on schedule.
        let due = Self.ripe + SigningKeySchedule().period
        _ = try await store.look(at: due - 60)
        let turns = try await withThrowingTaskGroup(of: Int.self) { group in
            for second in 0..<8 as Range<Int64> {
                group.addTask { try await store.look(at: due + second).filter { $0.state == .next }.count }
            }
            return try await group.reduce(0, +)
        }
        #expect(turns == 1)
        #expect(try await Ledger(database).faults().isEmpty)
    }

    @Test("Neither a dump nor a wrap tells the private key; a retired or revoked key's wrap is gone") func erased()
        async throws
    {
        let (database, store) = try await begun()
        let (current, keys) = try await store.keys(reusing: [:])
        // The private number in PKCS #8, which ends with the public point: 32 bytes behind a header of 36.
        let secret = try Data(#require(keys[current]).key.pkcs8[36..<68])
        #expect(try Data(#require(keys[current]).key.pkcs8).range(of: secret) != nil)
        for row in try await rows(database) {
            for column in ["wrapped", "public_key", "nonce"] {
                #expect(try Data(row.bytes(column)).range(of: secret.prefix(8)) == nil)
            }
        }
        for row in try await rows(database) {
            let wrapped = WrappedKey(nonce: try row.bytes("nonce"), bytes: try row.bytes("wrapped"))
            #expect(throws: CryptographyError.self) {
                try other.unwrap(wrapped, context: SigningKeyRow.context(row.text("kid")))
            }
        }
        _ = try await store.rotate(at: Self.ripe, Self.decision)
        let end = Self.ripe + SigningKeySchedule.hold
        _ = try await store.look(at: end - 60)
        #expect(try await store.keys(reusing: [:]).keys.count == 3)
        _ = try await store.look(at: end + 1)
        _ = try await store.revoke(store.keys(reusing: [:]).current, at: end + 2, Self.decision)
        let ended = try await rows(database).filter { try ["retired", "revoked"].contains($0.text("state")) }
        #expect(ended.count == 2)
        for row in ended {
            #expect(try row.value("wrapped") == .null && row.value("nonce") == .null)
            let key = try PublicKey(subjectPublicKeyInfo: row.bytes("public_key"))
            #expect(try JSONWebKey(key).thumbprint == row.text("kid"), "the public part stays for audits")
        }
    }

    @Test("A wrap that was moved to another row, cut, altered or erased is refused, and nothing is published")
    func moved()
        async throws
    {
        let (database, store) = try await begun()
        let rows = try await rows(database)
        let kid = try rows[0].text("kid"), nonce = try rows[0].bytes("nonce"), wrapped = try rows[0].bytes("wrapped")
        let foreign = try rows[1].bytes("wrapped"), foreignNonce = try rows[1].bytes("nonce")
        let spoiled: [(nonce: [UInt8]?, wrapped: [UInt8]?)] = [
            (foreignNonce, foreign), (nonce, Array(wrapped.dropLast())), (nonce, Array(wrapped.dropFirst())),
            (nonce, []), (nonce, [1]), (nonce, wrapped + [0]), ([], wrapped), (foreignNonce, wrapped), (nil, wrapped),
            (nonce, nil), (nonce, wrapped.enumerated().map { $0 == 20 ? $1 ^ 1 : $1 }),
        ]
        for (number, bad) in spoiled.enumerated() {
            try await database.write {
                try $0.execute(
                    "UPDATE signing_keys SET nonce = \(bad.nonce), wrapped = \(bad.wrapped) WHERE kid = \(kid)")
            }
            await #expect(throws: SigningKeyFault.self, "\(number)") { try await store.keys(reusing: [:]) }
        }
        try await database.write {
            try $0.execute("UPDATE signing_keys SET nonce = \(nonce), wrapped = \(wrapped) WHERE kid = \(kid)")
        }
        #expect(try await store.keys(reusing: [:]).keys.count == 2)
        await #expect(throws: SigningKeyFault.self) { try await self.store(database, other).keys(reusing: [:]) }
    }

    @Test("A key that somebody wrote into the database is never published, and nothing else is then") func planted()
        async throws
    {
        let (database, store) = try await begun()
        let key = try SigningKey(.generate())
        let wrapped = try other.wrap(key.key.pkcs8, context: SigningKeyRow.context(key.keyID))
        let publicKey = try key.key.publicKey.subjectPublicKeyInfo
        try await database.write {
            try $0.execute(
                """
                INSERT INTO signing_keys (kid, state, public_key, nonce, wrapped, published_at, retiring_at)
                VALUES (\(key.keyID), 'retiring', \(publicKey), \(wrapped.nonce), \(wrapped.bytes), 1, 1)
                """)
        }
        await #expect(throws: SigningKeyFault.self) { try await store.keys(reusing: [:]) }
        // Rows of a hostile kind.
        for statement: SQL in [
            "UPDATE signing_keys SET state = 'friend' WHERE state = 'retiring'",
            "UPDATE signing_keys SET state = 'retiring', retiring_at = 9223372036854775807 WHERE state = 'friend'",
            "UPDATE signing_keys SET retiring_at = -1 WHERE state = 'retiring'",
        ] {
            try await database.write { try $0.execute(statement) }
            await #expect(throws: StorageError.self) { try await store.keys(reusing: [:]) }
            await #expect(throws: StorageError.self) { try await store.look(at: Self.ripe) }
        }
        for statement: SQL in [
            "UPDATE signing_keys SET state = 'current' WHERE state IN ('current', 'next')",
            "INSERT INTO signing_keys (kid, state, public_key, published_at) SELECT 'x', 'next', public_key, 1 FROM signing_keys LIMIT 1",
        ] {
            await #expect(throws: StorageError.self) { try await database.write { try $0.execute(statement) } }
        }
    }

    @Test("A rotation that cannot be written whole is not written at all") func atomic() async throws {
        for table: SQL in ["DROP TABLE ledger", "DROP TABLE signing_key_events"] {
            let (database, store) = try await begun()
            let before = try await rows(database)
            try await database.write { try $0.execute(table) }
            await #expect(throws: StorageError.self) { try await store.rotate(at: Self.ripe, Self.decision) }
            await #expect(throws: StorageError.self) {
                try await store.revoke(before[0].text("kid"), at: Self.ripe, Self.decision)
            }
            #expect(try await rows(database) == before)
        }
    }

    @Test("Rewrapping carries all keys over at once; the old key opens nothing, and makes no new ones") func rewrap()
        async throws
    {
        let (database, store) = try await begun()
        let before = try await store.keys(reusing: [:])
        await #expect(throws: ServiceStartError.self) {
            try await other.rewrap(Ledger(database), under: kek, at: Self.start)
        }
        #expect(try await kek.rewrap(Ledger(database), under: other, at: Self.start) == 2)
        let after = try await self.store(database, other).keys(reusing: [:])
        #expect(after.current == before.current && Set(after.keys.keys) == Set(before.keys.keys))
        await #expect(throws: SigningKeyFault.self) { try await store.keys(reusing: [:]) }
        await #expect(throws: ServiceStartError.self) { try await store.rotate(at: Self.ripe, Self.decision) }
        await #expect(throws: ServiceStartError.self) { try await kek.takeCharge(of: database, .verifier) }
        #expect(try await self.store(database, other).rotate(at: Self.ripe, Self.decision).count == 3)
    }

    @Test("Rewrapping stops at a row that does not open, and changes nothing") func rewrapDamaged() async throws {
        let (database, _) = try await begun()
        try await database.write { try $0.execute("UPDATE signing_keys SET wrapped = nonce WHERE state = 'next'") }
        let before = try await rows(database)
        await #expect(throws: ServiceStartError.self) {
            try await kek.rewrap(Ledger(database), under: other, at: Self.start)
        }
        #expect(try await rows(database) == before)
        try await kek.takeCharge(of: database, .verifier)
    }

    @Test("The one key of an older database becomes the current one") func adoption() async throws {
        let database = try await testDatabase(), old = try SigningKey(.generate())
        let wrapped = try kek.wrap(old.key.pkcs8, context: "signing/0011223344556677")
        try await database.write {
            try $0.execute(
                """
                INSERT INTO keys (id, purpose, nonce, wrapped, created_at)
                VALUES ('0011223344556677', 'signing', \(wrapped.nonce), \(wrapped.bytes), 77)
                """)
        }
        await #expect(throws: SigningKeyFault.self) { try await self.store(database, other).begin(at: Self.start) }
        await #expect(throws: ServiceStartError.self) { try await other.takeCharge(of: database, .verifier) }
        try await kek.takeCharge(of: database, .verifier)
        try await store(database).begin(at: Self.start)
        #expect(try await store(database).keys(reusing: [:]).current == old.keyID)
        #expect(try await store(database).records().first?.activatedAt == 77)
        #expect(try await database.read { try $0.rows("SELECT id FROM keys") }.isEmpty)
    }

    @Test("A replica learns of another's rotation before it signs, within its notice interval") func notice()
        async throws
    {
        let (database, store) = try await begun()
        let prompt = SigningKeys(store, noticeInterval: .zero),
            slow = SigningKeys(store, noticeInterval: .seconds(3600))
        let first = try await prompt.signer().keyID
        #expect(try await slow.signer().keyID == first)
        let own = SigningKeys(store, noticeInterval: .seconds(3600))
        _ = try await own.signer()
        _ = try await own.change { try await $0.rotate(at: Self.ripe, Self.decision) }
        let second = try await own.signer().keyID
        #expect(second != first, "its own change, at once")
        #expect(try await prompt.signer().keyID == second)
        #expect(try await slow.signer().keyID == first)
        #expect(try await slow.published().keySet.keys[second] != nil, "it was published before it signed")
        #expect(try await prompt.published().keySet.keys.count == 3)
        _ = database
    }
}
