import Fixtures
@testable import CarnetRecords
import CarnetVerifier
import CarnetService
import CarnetStorage
import Foundation
import HTTPTypes
import ServiceHarness
import Testing
import VerifierHarness

@Suite struct StartTests {
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("The first start makes its files for its owner only; later starts keep them") func files() async throws {
        let verifier = try VerifierUnderTest(on: .sqlite)
        try await verifier.run { _ in }
        let names = ["carnet.sqlite", "key-encryption-key", "ledger-chain"]
        #expect(try mode(verifier.folder) == 0o700)
        for name in names { #expect(try mode(verifier.folder + "/" + name) == 0o600, "\(name)") }
        let before = try names.dropFirst().map { try Data(contentsOf: URL(filePath: verifier.folder + "/" + $0)) }
        try await verifier.run { _ in }
        #expect(try names.dropFirst().map { try Data(contentsOf: URL(filePath: verifier.folder + "/" + $0)) } == before)
    }

    @Test("A secret that others can read stops every start", arguments: ["key-encryption-key", "ledger-chain"])
    func exposed(_ name: String) async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { _ in }
        let path = verifier.folder + "/" + name
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        await #expect(throws: ServiceStartError.exposed(path, mode: "644")) { try await verifier.run { _ in } }
    }

    @Test("A lost key-encryption key is not replaced silently") func lost() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { _ in }
        let path = verifier.folder + "/key-encryption-key"
        try FileManager.default.removeItem(atPath: path)
        await #expect(throws: ServiceStartError.self) { try await verifier.run { _ in } }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("The key-encryption key may be kept elsewhere") func elsewhere() async throws {
        let path = TemporaryFolder.path("kek")
        let verifier = try VerifierUnderTest { $0.keyEncryptionKey = .file(path) }
        let first = try await verifier.run { try await $0.call(.get, "/.well-known/jwks.json").body }
        let second = try await verifier.run { try await $0.call(.get, "/.well-known/jwks.json").body }
        #expect(first == second)
        #expect(!FileManager.default.fileExists(atPath: verifier.folder + "/key-encryption-key"))
    }

    @Test("Nobody is an administrator by starting a verifier, however often, and its log says what to do")
    func nobody() async throws {
        let verifier = try VerifierUnderTest()
        for _ in 0..<2 { _ = try await Verifier(verifier.configuration) }
        let database = try await verifier.database.open()
        #expect(try await APITokenStore(database).list().elements.isEmpty)
        #expect(verifier.log.text.contains { $0.contains("carnet-verifier bootstrap") })
        try await verifier.run { _ in }
        #expect(try await APITokenStore(database).list().elements.map(\.role) == [.admin])
    }

    @Test("A policy whose reference sets are not there does not take the place of one that works") func references()
        async throws
    {
        let verifier = try verifierWithPolicy(), path = TemporaryFolder.path("policy")
        try await verifier.run { _ in }
        let policies = PolicyStore(Ledger(try await verifier.database.open()))
        let before = try await policies.active().map(\.digest)
        try """
        version: 1
        id: by-sets
        references: ["loaders@sha256:\(String(repeating: "0", count: 64))"]
        banks: {sha256: {0: ignore, 4: ignore, 7: ignore}}
        components: {application: {}}
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let next = try VerifierUnderTest(sharing: verifier.database) {
            $0.database = $0.database ?? verifier.database.address
            $0.keyEncryptionKey = .file(verifier.folder + "/key-encryption-key")
            $0.policyFile = path
        }
        await #expect(throws: VerifierConfigurationError.self) { try await Verifier.check(next.configuration) }
        await #expect(throws: VerifierConfigurationError.self) { try await Verifier(next.configuration) }
        #expect(try await policies.active().map(\.digest) == before && before.count == 1)
    }

    @Test("Verifiers of one database have one issuer; it changes only when that is asked for") func issuer()
        async throws
    {
        let verifier = try VerifierUnderTest(), issuer = VerifierUnderTest.issuer, other = "https://other.example"
        func replica(_ issuer: String, changing: Bool = false) throws -> VerifierUnderTest {
            try VerifierUnderTest(sharing: verifier.database) {
                $0.database = $0.database ?? verifier.database.address
                $0.issuer = issuer
                $0.changesIssuer = changing
                $0.keyEncryptionKey = .file(verifier.folder + "/key-encryption-key")
            }
        }
        try await verifier.run { _ in }
        _ = try await Verifier(replica(issuer).configuration)
        await #expect(throws: VerifierConfigurationError.otherIssuer(other, kept: issuer)) {
            try await Verifier(replica(other).configuration)
        }
        let changed = try replica(other, changing: true)
        _ = try await Verifier(changed.configuration)
        #expect(changed.log.text.contains { $0.contains("the issuer was changed") && $0.contains(issuer) })
        let told = try await verifier.database.open().read { connection in
            try connection.rows("SELECT body FROM ledger WHERE kind = 'operation' AND subject = \(other)").count
        }
        #expect(told == 1)
        _ = try await Verifier(replica(other).configuration)
        await #expect(throws: VerifierConfigurationError.otherIssuer(issuer, kept: other)) {
            try await verifier.run { _ in }
        }
    }

    @Test("A data folder, or a file in it, that another user owns or can change is not used")
    func planted() async throws {
        let folder = TemporaryFolder.path("planted")
        let verifier = try VerifierUnderTest { $0.dataDirectory = folder }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        #expect(chmod(folder, 0o777) == 0)
        await #expect(throws: ServiceStartError.writableByOthers(folder, mode: "777")) {
            try await verifier.run { _ in }
        }
        #expect(chmod(folder, 0o700) == 0)
        // Only root can give files away.
        guard geteuid() == 0 else { return }
        let key = folder + "/key-encryption-key"
        try Data(repeating: 0x41, count: 43).write(to: URL(filePath: key))
        #expect(chmod(key, 0o600) == 0 && chown(key, 65534, 65534) == 0)
        await #expect(throws: ServiceStartError.foreign(key)) { try await verifier.run { _ in } }
        #expect(chown(folder, 65534, 65534) == 0)
        await #expect(throws: ServiceStartError.foreign(folder)) { try await verifier.run { _ in } }
    }
}
