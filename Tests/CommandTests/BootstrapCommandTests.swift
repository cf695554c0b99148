@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// The first administrator, by the command that makes one.
@Suite("carnet-verifier bootstrap", .serialized, .timeLimit(.minutes(2)))
struct BootstrapCommandTests {
    private let verifier = Program("carnet-verifier"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    @Test("Before the first start it makes one administrator, whose token opens the verifier that starts then")
    func before() async throws {
        let data = folder.path + "/data", file = folder.path + "/alice.token"
        let made = try await verifier.run(["bootstrap", "--data", data, "--out", file, "--name", "alice"])
        #expect(made.status == 0 && made.output.isEmpty && made.errors.contains("alice"), "\(made)")
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.attributesOfItem(atPath: data)[.posixPermissions] as? Int == 0o700)
        for words in [[], ["--name", "bob"]] {
            let again = try await verifier.run(["bootstrap", "--data", data] + words)
            #expect(again.status == 1 && again.output.isEmpty && again.errors.contains("--recover"), "\(again)")
        }
        let taken = try await verifier.run(["bootstrap", "--data", data, "--recover", "--name", "alice"])
        #expect(taken.status == 1 && taken.output.isEmpty && taken.errors.contains("name"), "\(taken)")
        let token = String(decoding: try folder.read("alice.token"), as: UTF8.self)
        let office = try VerifierUnderTest { $0.dataDirectory = data }
        try await office.run { client in
            // It runs now: another administrator, who was asked for, is one at once.
            let recovered = try await verifier.run([
                "bootstrap", "--data", data, "--recover", "--json", "--expires", "1h",
            ])
            let root = try JSONDocument(parsing: recovered.output, maximumByteCount: 65_536).root
            let other = try #require(root["token"]?.string, "\(recovered)")
            for token in [token, other] {
                let list = try await client.call(.get, "/admin/v1/api-tokens", token: token)
                #expect(list.status == 200, "\(list.text)")
                #expect(try list.json["api_tokens"]?.elements?.count == 2)
            }
            let entries = try await client.call(.get, "/admin/v1/ledger/chains", token: token)
            #expect(try entries.json["chains"]?.elements?.count == 1)
        }
    }

    @Test("Where it may not or cannot work, it says so and leaves nothing") func unable() async throws {
        let file = folder.path + "/token"
        let garbage = try folder.write(Array("no database".utf8) + [UInt8](repeating: 7, count: 4096), "carnet.sqlite")
        let broken = try await verifier.run(["bootstrap", "--data", folder.path, "--out", file])
        #expect(broken.status == 3 && broken.output.isEmpty, "\(broken) \(garbage)")
        let remote = try await verifier.run([
            "bootstrap", "--data", folder.path + "/data", "--out", file, "--database",
            "postgresql://carnet:secret@127.0.0.1:1/carnet",
        ])
        #expect(remote.status == 3 && !remote.errors.contains("secret"), "\(remote)")
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("Its database is the verifier's: a flag goes before the variable, the variable before the file")
    func settings() async throws {
        func database(_ name: String) -> String { "sqlite:\(folder.path)/\(name).sqlite" }
        func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: folder.path + "/" + path) }
        let text = """
            data: \(folder.path)/data
            database: \(database("file"))
            issuer: https://v.example
            audience: [a]
            plain-http: true
            token-lifetime: 60
            ledger-chain: chain-of-file

            """
        let file = try folder.write(Array(text.utf8), "v.yaml")
        let words = ["bootstrap", "--config", file]
        for (more, environment, name) in [
            ([], [:], "file"), ([], ["CARNET_VERIFIER_DATABASE": database("variable")], "variable"),
            (["--database", database("flag")], ["CARNET_VERIFIER_DATABASE": database("no")], "flag"),
        ] {
            let made = try await verifier.run(words + more, environment: environment)
            #expect(made.status == 0 && made.errors.contains(database(name)), "\(made)")
            #expect(isThere(name + ".sqlite"))
        }
        #expect(!isThere("no.sqlite") && !isThere("data/carnet.sqlite") && !isThere("data/ledger-chain"))
        // The file is read as strictly as `serve` reads it, and the environment too.
        let slip = try await verifier.run(["bootstrap", "--data", "x"], environment: ["CARNET_VERIFIER_DATBASE": "y"])
        #expect(slip.status == 2 && slip.errors.contains("CARNET_VERIFIER_DATABASE"), "\(slip)")
        for line in ["database: mysql://u:hidden@h/d", "ledger-chain: a/b", "colour: red"] {
            let path = try folder.write(Array("data: \(folder.path)/other\n\(line)\n".utf8), "w.yaml")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            let ending = try await verifier.run(["bootstrap", "--config", path])
            #expect(ending.status == 2 && ending.errors.contains("w.yaml:2"), "\(ending)")
            #expect(!ending.errors.contains("hidden") && !isThere("other"))
        }
    }

    @Test("Beside a verifier whose state is elsewhere it makes no database of its own; neither does rewrap")
    func elsewhere() async throws {
        let data = folder.path + "/data", database = "sqlite:\(folder.path)/real.sqlite"
        let address = folder.path + "/address"
        let running = try verifier.start(
            [
                "--data", data, "--database", database, "--issuer", "https://v.example", "--audience", "a",
                "--plain-http",
                "--listen", "127.0.0.1:0", "--address-file", address, "--drain-seconds", "0",
            ], log: folder.path + "/log")
        #expect(try await eventually { FileManager.default.fileExists(atPath: address) })
        #expect(running.stop() == 0)
        let astray = try await verifier.run(["bootstrap", "--data", data, "--recover"])
        #expect(astray.status == 1 && astray.output.isEmpty && astray.errors.contains("--database"), "\(astray)")
        let rewrap = ["rewrap", "--data", data, "--new-key-encryption-key", folder.path + "/new"]
        #expect(try await verifier.run(rewrap).status == 1)
        #expect(!FileManager.default.fileExists(atPath: data + "/carnet.sqlite"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/new"))
        let made = try await verifier.run(["bootstrap", "--data", data, "--recover", "--database", database])
        #expect(made.status == 0, "\(made)")
        let done = try await verifier.run(rewrap, environment: ["CARNET_VERIFIER_DATABASE": database])
        #expect(done.status == 0 && done.text.hasPrefix("3 keys"), "\(done)")
    }
}
