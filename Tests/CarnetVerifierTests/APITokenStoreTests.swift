import CarnetService
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Foundation
import HTTPTypes
import StrictEncoding
import Testing
import VerifierHarness

@Suite struct APITokenStoreTests {
    @Test("A token proves its holder, and nothing that resembles it does") func holding() async throws {
        let store = APITokenStore(try await testDatabase())
        let (record, token) = try await store.create(name: "vault", role: .relyingParty, by: "x", now: 1)
        let other = try await store.create(name: "other", role: .admin, by: "x", now: 1).token
        let principal = try #require(await store.principal(holding: token))
        #expect(principal == Principal(id: record.id, name: "vault", role: .relyingParty))
        let mixed = token.prefix { $0 != "." } + other.drop { $0 != "." }
        let spoiled = [
            "", "carnet-", token + "A", String(token.dropLast()), String(mixed), token.uppercased(), " " + token,
            String(token.prefix { $0 != "." }) + ".", token + "." + token,
            token.replacingOccurrences(of: "carnet-", with: ""),
            String(token.dropLast()) + (token.hasSuffix("A") ? "E" : "A"),
        ]
        for text in spoiled { #expect(try await store.principal(holding: text) == nil, "\(text.count) characters") }
    }

    @Test("The database does not hold the token") func stored() async throws {
        let database = try await testDatabase()
        let token = try await APITokenStore(database).create(name: "vault", role: .admin, by: "x", now: 1).token
        let secret = token.drop { $0 != "." }.dropFirst()
        let row = try #require(try await database.read { try $0.row("SELECT * FROM api_tokens") })
        #expect(try row.bytes("digest").count == 32)
        #expect(!"\(row)".contains(secret))
    }

    @Test("A revoked token proves nothing; the last administrator's cannot be revoked") func revoking() async throws {
        let store = APITokenStore(try await testDatabase())
        let first = try await store.create(name: "first", role: .admin, by: "x", now: 1)
        let viewer = try await store.create(name: "viewer", role: .viewer, by: "x", now: 1)
        #expect(try await store.revoke(first.record.id, by: "x", now: 1) == .lastAdministrator)
        #expect(try await store.revoke(viewer.record.id, by: "x", now: 1) == .revoked)
        #expect(try await store.revoke(viewer.record.id, by: "x", now: 1) == .unknown)
        #expect(try await store.principal(holding: viewer.token) == nil)
        _ = try await store.create(name: "second", role: .admin, by: "x", now: 1)
        #expect(try await store.revoke(first.record.id, by: "x", now: 1) == .revoked)
        #expect(try await store.list().elements.map(\.name) == ["second"])
    }

    @Test("A name is given once") func names() async throws {
        let store = APITokenStore(try await testDatabase())
        _ = try await store.create(name: "vault", role: .relyingParty, by: "x", now: 1)
        await #expect(throws: StorageError(.conflict, "")) {
            try await store.create(name: "vault", role: .admin, by: "x", now: 1)
        }
    }

    @Test("The first administrator is made once; a recovery makes another, and the ledger says so") func bootstrap()
        async throws
    {
        let database = try await testDatabase(), store = APITokenStore(database)
        #expect(try await !store.hasAdministrator(at: 1))
        guard case .made(let record, let token) = try await store.bootstrap(now: 1) else {
            throw CocoaError(.featureUnsupported)
        }
        #expect(record.name == "bootstrap-" + record.id && record.role == .admin)
        #expect(try await store.principal(holding: token)?.role == .admin)
        for _ in 0..<2 {
            guard case .exists = try await store.bootstrap(name: "other", now: 2) else {
                throw CocoaError(.featureUnsupported)
            }
        }
        #expect(try await store.list().elements.count == 1)
        guard case .made(let second, _) = try await store.bootstrap(recovers: true, now: 3) else {
            throw CocoaError(.featureUnsupported)
        }
        let rows = try await database.read { try $0.rows("SELECT subject, body FROM ledger ORDER BY number") }
        let bodies = try rows.map { String(decoding: try $0.bytes("body"), as: UTF8.self) }
        #expect(bodies.filter { $0.contains("api-token.create") }.count == 2)
        #expect(bodies.filter { $0.contains(#""recovery":"true""#) && $0.contains(second.id) }.count == 1)
    }

    @Test("Of many who ask for the first administrator at once, one gets a token") func race() async throws {
        let place = try TestDatabasePlace()
        defer { place.remove() }
        try await place.open().migrate(Schema.migrations, now: 0)
        let made = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let store = APITokenStore(Ledger(try await place.open(), writer: "replica-\(number)"))
                    if case .made = try await store.bootstrap(now: 1) { return true }
                    return false
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(made == 1)
        #expect(try await APITokenStore(place.open()).list().elements.count == 1)
    }

    @Test(
        "An expired token is told so, and no clock brings it back; neither it nor its use is an administrator's any more"
    )
    func expiry() async throws {
        let clock = SettableClock(1000), database = try await testDatabase()
        let start = clock.now
        let store = APITokenStore(database, clock: WallClock { clock.now })
        let first = try await store.create(name: "first", role: .admin, by: "x", expiresAt: start + 100, now: start)
        let second = try await store.create(name: "second", role: .admin, by: "x", expiresAt: start + 900, now: start)
        #expect(try await store.principal(holding: first.token)?.id == first.record.id)
        clock.advance(by: 101)
        for _ in 0..<2 {
            let problem = await #expect(throws: Problem.self) { try await store.principal(holding: first.token) }
            #expect(problem?.slug == "credential-expired" && problem?.status == .unauthorized)
            #expect(problem?.detail.contains(RFC3339.format(start + 100)) == true)
        }
        clock.advance(by: -101)
        let problem = await #expect(throws: Problem.self) { try await store.principal(holding: first.token) }
        #expect(problem?.slug == "credential-expired")
        #expect(try await store.principal(holding: first.token.dropLast() + "_") == nil)
        let listed = try await store.list().elements
        #expect(listed.map(\.hasExpired) == [true, false] || listed.map(\.hasExpired) == [false, true])
        #expect(try await store.revoke(second.record.id, by: "x", now: start) == .lastAdministrator)
        let rows = try await database.read { try $0.rows("SELECT body FROM ledger") }
        let told = try rows.filter {
            String(decoding: try $0.bytes("body"), as: UTF8.self).contains("api-token.expire")
        }
        #expect(told.count == 1)
        #expect(try await store.revoke(first.record.id, by: "x", now: start) == .revoked)
        clock.advance(by: 1000)
        guard case .made = try await store.bootstrap(now: clock.now) else { throw CocoaError(.featureUnsupported) }
    }

    @Test("The last use is written at most every ten minutes") func uses() async throws {
        let clock = SettableClock(1000), store = APITokenStore(try await testDatabase(), clock: WallClock { clock.now })
        let token = try await store.create(name: "a", role: .viewer, by: "x", now: 1).token
        #expect(try await store.list().elements.first?.lastUsedAt == nil)
        _ = try await store.principal(holding: token)
        let first = try #require(try await store.list().elements.first?.lastUsedAt)
        clock.advance(by: 300)
        _ = try await store.principal(holding: token)
        #expect(try await store.list().elements.first?.lastUsedAt == first)
        clock.advance(by: 400)
        _ = try await store.principal(holding: token)
        let last = try #require(try await store.list().elements.first?.lastUsedAt)
        #expect((700...720).contains(last - first))
    }

    @Test("A token of an earlier release has no end") func older() async throws {
        let store = APITokenStore(try await testDatabase(), clock: WallClock { .max })
        let token = try await store.create(name: "older", role: .admin, by: "x", now: 1).token
        #expect(try await store.principal(holding: token)?.name == "older")
    }
}
