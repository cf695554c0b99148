import CarnetAttester
import CarnetResult
import CarnetTesting
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// Signing keys and the key that wraps them, with the programs alone.
@Suite("carnet key, carnet-verifier rewrap, carnet-agent kek", .serialized, .timeLimit(.minutes(5)))
struct SigningKeyCommandTests {
    private let carnet = Program("carnet"), agent = Program("carnet-agent"), verifier = Program("carnet-verifier")
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    @Test("An operator lists, rotates and revokes; a bundle carries the current and the next key") func keys()
        async throws
    {
        let office = try VerifierUnderTest { $0.signingKeyInterval = .milliseconds(20) }
        try await office.run { client in
            let address = "http://127.0.0.1:\(client.port)"
            let environment = [
                "CARNET_VERIFIER": address, "CARNET_PLAIN_HTTP": "1",
                "CARNET_TOKEN_FILE": office.administratorFile,
            ]
            func run(_ words: [String]) async throws -> Program.Ending {
                try await carnet.run(["key"] + words, environment: environment)
            }
            let list = try await run(["list"])
            #expect(list.status == 0 && list.text.contains("current") && list.text.contains("may sign from"), "\(list)")
            let early = try await run(["rotate", "--reason", "A test"])
            #expect(early.status == 1 && early.errors.contains("may sign from"), "\(early)")
            office.clock.advance(by: 7300)
            let rotated = try await run(["rotate", "--reason", "A test", "--json"])
            #expect(rotated.status == 0, "\(rotated)")
            let root = try JSONDocument(parsing: rotated.output, maximumByteCount: 65_536).root
            let keys = try #require(root["keys"]?.elements)
            #expect(keys.compactMap { $0["state"]?.string }.sorted() == ["current", "next", "retiring"])
            #expect(root["events"]?.elements?.contains { $0["reason"]?.string == "A test" } == true)

            let key = folder.path + "/bundle.key", bundle = folder.path + "/trust.bundle"
            #expect(try await carnet.run(["bundle", "key", "--out", key]).status == 0)
            let made = try await carnet.run([
                "bundle", "make", "--key", key, "--name", "urn:example:trust", "--issuer", VerifierUnderTest.issuer,
                "--verifier", address, "--plain-http", "--out", bundle,
            ])
            #expect(made.status == 0, "\(made)")
            let shown = try await carnet.run(["bundle", "show", bundle, "--json"])
            for key in keys { #expect(shown.text.contains(key["kid"]?.string ?? "?"), "\(shown.text)") }

            let current = try #require(keys.first { $0["state"]?.string == "current" }?["kid"]?.string)
            let revoked = try await run(["revoke", current, "--reason", "The host was broken into"])
            #expect(revoked.status == 0 && revoked.text.contains("revoked"), "\(revoked)")
            // Behind `--` as well: one in 64 identifiers begins with a hyphen.
            let again = try await run(["revoke", "--reason", "Again", "--", current])
            #expect(again.status == 1, "\(again)")
        }
    }

    @Test("The TPM opens what it sealed, while its PCRs hold; another TPM, a moved PCR and a changed file are refused")
    func seal() async throws {
        let tpm = try SoftwareTPM.copy(), other = try SoftwareTPM.copy()
        let file = folder.path + "/kek.sealed", key = String(repeating: "A", count: 42) + "E"
        let keyFile = try folder.write(Array((key + "\n").utf8), "kek")
        let sealed = try await agent.run([
            "kek", "seal", "--tcti", tpm.tcti, "--pcrs", "sha256:7,11", "--key-file", keyFile, "--out", file,
        ])
        #expect(sealed.status == 0 && sealed.output.isEmpty, "\(sealed)")
        let text = String(decoding: try folder.read("kek.sealed"), as: UTF8.self)
        #expect(!text.contains(key) && text.contains("sha256:7,11"))
        let unseal = ["kek", "unseal", "--tcti", tpm.tcti]
        let opened = try await agent.run(unseal + [file])
        #expect(opened.status == 0 && opened.text == key + "\n", "\(opened)")
        let spoiled = try folder.write(
            Array(text.replacing("\"duplicate\":\"AB", with: "\"duplicate\":\"AC").utf8), "spoiled")
        if text.contains("\"duplicate\":\"AB") { #expect(try await agent.run(unseal + [spoiled]).status == 1) }
        let cut = try folder.write(Array(text.utf8.dropLast(20)), "cut")
        #expect(try await agent.run(unseal + [cut]).status == 1)
        let short = try folder.write(Array("AAAA".utf8), "short")
        #expect(try await agent.run(["kek", "seal", "--tcti", tpm.tcti, "--key-file", short]).status == 2)
        try other.device().extend(pcr: 23, bank: .sha256, digest: [UInt8](repeating: 1, count: 32))
        try tpm.device().extend(pcr: 11, bank: .sha256, digest: [UInt8](repeating: 1, count: 32))
        let moved = try await agent.run(unseal + [file])
        #expect(moved.status == 1 && moved.output.isEmpty, "\(moved)")
    }

    @Test("A verifier moves from its file to the TPM, starts with what the TPM opens, and with nothing else")
    func move() async throws {
        let tpm = try SoftwareTPM.copy(), data = folder.path + "/data", file = folder.path + "/kek.sealed"
        let unseal = "'\(agent.path)' kek unseal --tcti '\(tpm.tcti)' '\(file)'"
        #expect(try await agent.run(["kek", "seal", "--tcti", tpm.tcti, "--out", file]).status == 0)
        let office = try VerifierUnderTest { $0.dataDirectory = data }
        let before = try await office.run { try await $0.call(.get, "/.well-known/jwks.json").body }
        let rewrap = ["rewrap", "--data", data, "--new-key-encryption-key-command", unseal]
        let failing = try await verifier.run(["rewrap", "--data", data, "--new-key-encryption-key-command", "false"])
        #expect(failing.status == 1, "\(failing)")
        let done = try await verifier.run(rewrap)
        #expect(done.status == 0 && done.text.hasPrefix("3 keys"), "\(done)")
        #expect(try await verifier.run(rewrap).status == 1, "the old key is not in force any more")
        await #expect(throws: (any Error).self) { try await office.run { _ in } }
        let sealed = try VerifierUnderTest {
            $0.dataDirectory = data
            $0.keyEncryptionKey = .command(unseal)
        }
        let after = try await sealed.run { try await $0.call(.get, "/.well-known/jwks.json").body }
        #expect(before == after)

        let arguments = [
            "--data", data, "--issuer", VerifierUnderTest.issuer, "--audience", VerifierUnderTest.audience,
            "--plain-http", "--listen", "127.0.0.1:0",
        ]
        let wrong = try await verifier.run(arguments)
        #expect(wrong.status == 1 && wrong.errors.contains("carnet-verifier rewrap"), "\(wrong)")
        let back = try await verifier.run([
            "rewrap", "--data", data, "--key-encryption-key-command", unseal, "--new-key-encryption-key",
            folder.path + "/new", "--json",
        ])
        #expect(back.status == 0 && back.text.contains("\"keys\" : 3"), "\(back)")
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/new")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
}
