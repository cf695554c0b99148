import Fixtures
import CarnetService
import CarnetStorage
import CarnetVerifier
import Foundation
import Testing

@Suite struct APITokenStoreTests {
    private let file = TemporaryFolder.path("token")

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
        #expect(try await store.list().map(\.name) == ["second"])
    }

    @Test("A name is given once") func names() async throws {
        let store = APITokenStore(try await testDatabase())
        _ = try await store.create(name: "vault", role: .relyingParty, by: "x", now: 1)
        await #expect(throws: StorageError(.conflict, "")) {
            try await store.create(name: "vault", role: .admin, by: "x", now: 1)
        }
    }

    @Test("The first administrator is created once, and a crash in between is repaired") func bootstrap() async throws {
        let store = APITokenStore(try await testDatabase())
        #expect(try await store.bootstrap(tokenFile: file, now: 1))
        let token = String(decoding: try #require(try PrivateFile.read(file)).dropLast(), as: UTF8.self)
        #expect(try await store.principal(holding: token)?.role == .admin)
        #expect(try await store.bootstrap(tokenFile: file, now: 2) == false)
        let after = APITokenStore(try await testDatabase())
        #expect(try await after.bootstrap(tokenFile: file, now: 3))
        #expect(try await after.principal(holding: token)?.role == .admin)
    }

    @Test("An operator's file that others can read stops every start") func exposed() async throws {
        let store = APITokenStore(try await testDatabase())
        try await store.bootstrap(tokenFile: file, now: 1)
        try FileManager.default.setAttributes([.posixPermissions: 0o604], ofItemAtPath: file)
        await #expect(throws: ServiceStartError.exposed(file, mode: "604")) {
            try await store.bootstrap(tokenFile: file, now: 2)
        }
    }
}
