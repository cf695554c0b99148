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
}
