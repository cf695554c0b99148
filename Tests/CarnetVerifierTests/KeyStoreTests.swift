import Fixtures
import CarnetService
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Cryptography
import Foundation
import Testing

@Suite struct KeyStoreTests {
    private let folder = TemporaryFolder.path("keys")
    private var file: String { folder + "/key-encryption-key" }

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    @Test("A key is made once, and comes back after a restart") func once() async throws {
        let database = try await testDatabase()
        let store = try await KeyStore.open(database, .file(file), .verifier)
        let first = try await store.key(.session, now: 1) { [1, 2, 3] }
        #expect(try await store.key(.session, now: 2) { [4] } == first)
        let again = try await KeyStore.open(database, .file(file), .verifier)
        #expect(try await again.key(.session, now: 3) { [6] } == [1, 2, 3])
    }

    @Test("The database holds no key in the clear, and the same key never wrapped to the same bytes") func wrapped()
        async throws
    {
        let secret = SecureRandom.bytes(32)
        var stored: [[UInt8]] = []
        for _ in 0..<2 {
            let database = try await testDatabase()
            let store = try await KeyStore.open(database, .file(file), .verifier)
            _ = try await store.key(.session, now: 1) { secret }
            let row = try #require(try await database.read { try $0.row("SELECT nonce, wrapped FROM keys") })
            stored.append(try row.bytes("nonce") + row.bytes("wrapped"))
        }
        #expect(stored[0] != stored[1])
        #expect(
            stored.allSatisfy {
                !$0.indices.dropLast(7).contains { start in stored[0][start...].starts(with: secret.prefix(8)) }
            })
    }

    @Test("Another key-encryption key, and a purpose that was changed in the database, unwrap nothing") func wrong()
        async throws
    {
        let database = try await testDatabase()
        let store = try await KeyStore.open(database, .file(file), .verifier)
        _ = try await store.key(.session, now: 1) { [1, 2, 3] }
        let other = try otherFile()
        await #expect(throws: ServiceStartError.self) { try await KeyStore.open(database, .file(other), .verifier) }
        try await database.write { try $0.execute("UPDATE keys SET id = 'x'") }
        await #expect(throws: ServiceStartError.self) { try await store.key(.session, now: 2) { [4] } }
    }

    @Test("The wrong key-encryption key is named, with what to do next; none is made in its place") func named()
        async throws
    {
        let database = try await testDatabase()
        let store = try await KeyStore.open(database, .file(file), .verifier)
        _ = try await store.key(.session, now: 1) { [1, 2, 3] }
        let right = try #require(try KeyEncryptionKey.read(file)).identifier, other = try otherFile()
        do {
            _ = try await KeyStore.open(database, .file(other), .verifier)
            Issue.record("opened")
        } catch {
            let wrong = try #require(try KeyEncryptionKey.read(other)).identifier, text = "\(error)"
            #expect(text.contains(right) && text.contains(wrong) && text.contains("carnet-verifier rewrap"))
        }
    }

    @Test("The key may come from a variable or a command; what is no key is refused") func sources() async throws {
        let key = try KeyEncryptionKey.create(file).identifier
        #expect(try KeyEncryptionKeySource.command("cat '\(file)'").read()?.identifier == key)
        for command in [
            "false", "exit 7", "echo", "echo AAAA", "cat '\(file)' '\(file)'", "head -c 300 /dev/zero", "kill -9 $$",
            "/no/such",
            "cat '\(file)'; exit 1", "yes",
        ] {
            #expect(throws: ServiceStartError.self, "\(command)") { try KeyEncryptionKeySource.command(command).read() }
        }
        setenv("CARNET_TEST_KEK", String(decoding: try #require(try PrivateFile.read(file)), as: UTF8.self), 1)
        #expect(try KeyEncryptionKeySource.environment("CARNET_TEST_KEK").read()?.identifier == key)
        #expect(throws: ServiceStartError.self) { try KeyEncryptionKeySource.environment("CARNET_TEST_NONE").read() }
        let database = try await testDatabase()
        await #expect(throws: ServiceStartError.self) { try await KeyStore.open(database, .command("true"), .verifier) }
        await #expect(throws: ServiceStartError.self) {
            try await KeyStore.open(database, .environment("CARNET_TEST_NONE"), .verifier)
        }
    }

    @Test("Every flipped bit of a wrapped key is noticed") func flipped() throws {
        let key = try KeyEncryptionKey.create(file)
        let wrapped = try key.wrap([1, 2, 3, 4], context: "session/1")
        #expect(try key.unwrap(wrapped, context: "session/1") == [1, 2, 3, 4])
        #expect(throws: CryptographyError(.authenticationFailed, "")) { try key.unwrap(wrapped, context: "session/2") }
        for bit in 0..<wrapped.bytes.count * 8 {
            var bytes = wrapped.bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let flipped = WrappedKey(nonce: wrapped.nonce, bytes: bytes)
            #expect(throws: CryptographyError(.authenticationFailed, "")) {
                try key.unwrap(flipped, context: "session/1")
            }
        }
    }

    @Test("A file that is missing is made only while there are no keys; one that others can read is refused")
    func files() async throws {
        let database = try await testDatabase()
        let store = try await KeyStore.open(database, .file(file), .verifier)
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        _ = try await store.key(.session, now: 1) { [1, 2, 3] }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        await #expect(throws: ServiceStartError.exposed(file, mode: "640")) {
            try await KeyStore.open(database, .file(file), .verifier)
        }
        try FileManager.default.removeItem(atPath: file)
        let lost = await #expect(throws: ServiceStartError.self) {
            try await KeyStore.open(database, .file(file), .verifier)
        }
        #expect(lost?.description.contains("--key-encryption-key-command") == true, "\(lost as Any)")
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("A file that does not hold 32 bytes is refused", arguments: ["", "AAAA", "not base64url!", "\n"])
    func content(_ text: String) throws {
        try PrivateFile.create(file, Array(text.utf8))
        #expect(throws: ServiceStartError.self) { try KeyEncryptionKey.read(file) }
    }

    private func otherFile() throws -> String {
        let path = folder + "/other"
        _ = try KeyEncryptionKey.create(path)
        return path
    }
}
