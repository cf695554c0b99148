import CarnetAttester
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// The key in a file that `carnet-agent attest --key` takes or makes, before anybody is asked.
@Suite("carnet-agent attest --key", .serialized, .timeLimit(.minutes(5)))
struct AttestKeyTests {
    private let tpm: SoftwareTPM, folder: TemporaryDirectory

    init() throws {
        tpm = try SoftwareTPM.copy()
        folder = try TemporaryDirectory()
        try AttesterState().save(in: folder.path + "/agent")
    }

    /// No verifier answers: what gets as far as to ask one ends with 3.
    private func attest(_ words: [String], state: String = "agent") async throws -> Program.Ending {
        try await Program("carnet-agent").run(
            [
                "attest", "--verifier", "http://127.0.0.1:1", "--plain-http", "--no-event-log", "--tcti", tpm.tcti,
                "--state", folder.path + "/" + state,
            ] + words)
    }

    private func key(_ file: String) -> [String] {
        ["--audience", "https://a.example", "--out", folder.path + "/p.jwt", "--key", file]
    }

    private func pem(_ key: PrivateKey) throws -> [UInt8] {
        Array(PEM.Block(label: "PRIVATE KEY", content: try key.pkcs8).text.utf8)
    }

    @Test("A key is made where there is none, for its owner alone, and is used again")
    func made() async throws {
        let file = folder.path + "/node.key"
        let first = try await attest(key(file))
        #expect(first.status == 3 && first.errors.contains("Made the key \(file)"), "\(first)")
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let bytes = try folder.read("node.key")
        let block = try #require(try PEM.blocks(in: bytes, maximumByteCount: 4096, maximumCount: 1).first)
        #expect(try PrivateKey(pkcs8: block.content).curve == .p256)
        let second = try await attest(key(file))
        #expect(second.status == 3 && !second.errors.contains("Made"), "\(second)")
        #expect(try folder.read("node.key") == bytes)
        // The machine is not enrolled: nothing is left behind.
        let early = try await attest(key(folder.path + "/early.key"), state: "none")
        #expect(early.status == 2 && early.errors.contains("enrol"), "\(early)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/early.key"))
    }

    @Test("A file that others can read, or that holds no key on P-256, is refused and stays as it is")
    func refused() async throws {
        let good = try pem(.generate())
        let open = try folder.write(good, "open.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: open)
        let shown = try await attest(key(open))
        #expect(shown.status == 1 && shown.errors.contains("chmod 600 \(open)"), "\(shown)")
        for (bytes, word) in [
            (try pem(.generate(.p384)), "another curve than P-256"), ([], "no private key"),
            (Array("rubbish".utf8), "no private key"),
            (try PrivateKey.generate().pkcs8, "no private key"), (Array(good.dropLast(40)), "no private key"),
        ] {
            let file = try folder.writeSecret(bytes, "bad.key")
            let ending = try await attest(key(file))
            #expect(ending.status == 2 && ending.errors.contains(word), "\(ending)")
            #expect(try folder.read("bad.key") == bytes)
        }
        let link = folder.path + "/link.key"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path + "/elsewhere")
        let followed = try await attest(key(link))
        #expect(followed.status == 1 && !FileManager.default.fileExists(atPath: folder.path + "/elsewhere"))
        #expect(try await attest(key(folder.path + "/none/node.key")).status == 3)
    }

    @Test(
        "What does not go together is wrong usage, and makes no key",
        arguments: [
            ["--out", "p"], ["--audience", "a"], ["--audience", "", "--out", "p"],
            ["--audience", "a", "--out", "p", "--storage-key"],
            ["--audience", "a", "--out", "p", "--key-protection", "tpm-state"],
            ["--audience", "a", "--csr", "c"], ["--audience", "a", "--out", "p", "--node", "node-17"],
            ["--audience", "a", "--csr", "c", "--node", "Node-17"],
            ["--audience", "a", "--csr", "-", "--node", "node-17", "--out", "-"],
            ["--audience", "a", "--csr", "-", "--node", "node-17", "--json"],
            ["--audience", "a", "--csr", "f", "--node", "node-17", "--out", "f"],
        ])
    func usage(words: [String]) async throws {
        let file = folder.path + "/node.key"
        let ending = try await attest(words + ["--key", file])
        #expect(ending.status == 2 && ending.output.isEmpty && ending.errors.contains("Usage:"), "\(ending)")
        #expect(!FileManager.default.fileExists(atPath: file))
        #expect(try await attest(["--audience", "a", "--csr", "c", "--node", "node-17"]).status == 2)
        #expect(try await attest(["--audience", "a", "--out", "p", "--key", "-"]).status == 2)
    }
}
