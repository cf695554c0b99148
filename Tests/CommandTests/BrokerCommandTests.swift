import BrokerHarness
import CarnetResult
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing

/// `carnet secret` and `carnet escrow` as an operator runs them.
@Suite("Commands for brokers", .timeLimit(.minutes(3))) struct BrokerCommandTests {
    private func environment(_ broker: BrokerUnderTest, _ client: ServiceClient) -> [String: String] {
        [
            "CARNET_BROKER": "http://127.0.0.1:\(client.port)", "CARNET_PLAIN_HTTP": "1",
            "CARNET_BROKER_TOKEN_FILE": broker.administratorFile,
        ]
    }

    @Test("Secrets are stored, listed, shown, revealed and removed; policies come and go") func secrets() async throws {
        let broker = try BrokerUnderTest(), folder = try TemporaryDirectory(), carnet = Program("carnet")
        let file = try folder.write(Array("correct horse".utf8), "secret")
        let policy = try folder.write(
            Array("version: 1\nid: edge\nsecrets: [default/db/*]\nvolumes: [root]\n".utf8), "p.yaml")
        try await broker.run { client in
            let environment = environment(broker, client)
            func run(_ words: [String], _ status: Int32 = 0) async throws -> Program.Ending {
                let ending = try await carnet.run(words, environment: environment)
                #expect(ending.status == status, "\(words): \(ending.text) \(ending.errors)")
                return ending
            }
            #expect(try await run(["secret", "list"]).text.contains("No secrets"))
            #expect(try await run(["secret", "put", "default/db/password", "--file", file]).text.contains("version 1"))
            let listed = try await run(["secret", "list"]).text
            #expect(listed.contains("default/db/password") && !listed.contains("correct horse"))
            #expect(try await run(["secret", "get", "default/db/password", "--json"]).text.contains("\"version\" : 1"))
            let revealed = try await run(["secret", "get", "default/db/password", "--reveal"])
            #expect(revealed.text == "correct horse")
            #expect(try await run(["secret", "policy", "put", policy]).text.contains("edge"))
            #expect(try await run(["secret", "policy", "list"]).text.contains("disk root"))
            #expect(try await run(["secret", "policy", "show", "edge"]).text.contains("default/db/*"))
            _ = try await run(["secret", "policy", "remove", "edge"])
            _ = try await run(["secret", "policy", "show", "edge"], 1)
            _ = try await run(["secret", "remove", "default/db/password"])
            _ = try await run(["secret", "get", "default/db/password"], 1)
            _ = try await run(["secret", "put", "not-a-name", "--file", file], 2)
            _ = try await run(["secret", "put", "default/db/x", "--file", folder.path + "/none"], 3)
        }
        try await Self.talk(broker, folder, carnet)
        let without = try await carnet.run(["secret", "list"])
        #expect(without.status == 2 && without.errors.contains("--broker"))
    }

    /// What these commands say of the broker, of its absence, and to programs.
    private static func talk(_ broker: BrokerUnderTest, _ folder: TemporaryDirectory, _ carnet: Program) async throws {
        let environment = ["CARNET_PLAIN_HTTP": "1", "CARNET_BROKER_TOKEN_FILE": broker.administratorFile]
        for command in [["secret", "list"], ["escrow", "list"]] {
            let away = try await carnet.run(command + ["--broker", "http://127.0.0.1:1"], environment: environment)
            #expect(away.status == 3 && away.errors.contains("The broker at http://127.0.0.1:1"), "\(away)")
            let wrong = try await carnet.run(command + ["--broker", "nowhere"], environment: environment)
            #expect(wrong.status == 2 && wrong.errors.contains("https://broker.example"), "\(wrong)")
        }
        let open = try folder.write(Array("carnet_x".utf8), "open.token")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: open)
        for command in [
            ["secret", "list", "--broker", "http://127.0.0.1:1"], ["node", "list", "--verifier", "http://127.0.0.1:1"],
        ] {
            let exposed = try await carnet.run(
                command + ["--token-file", open], environment: ["CARNET_PLAIN_HTTP": "1"])
            #expect(exposed.status == 1 && exposed.errors.contains("chmod 600"), "\(exposed)")
        }
    }

    @Test("What is asked with --json is answered as JSON") func programs() async throws {
        let broker = try BrokerUnderTest(), folder = try TemporaryDirectory(), carnet = Program("carnet")
        let file = try folder.write(Array("correct horse".utf8), "secret")
        let policy = try folder.write(Array("version: 1\nid: edge\nsecrets: [default/db/*]\n".utf8), "p.yaml")
        try await broker.run { client in
            func run(_ words: [String]) async throws -> JSONNode {
                let ending = try await carnet.run(words + ["--json"], environment: environment(broker, client))
                #expect(ending.status == 0, "\(words): \(ending.errors)")
                return try JSONDocument(parsing: ending.output, maximumByteCount: 65_536).root
            }
            let put = try await run(["secret", "put", "default/db/x", "--file", file])
            #expect(put["version"]?.integer == 1)
            let stored = try await run(["secret", "policy", "put", policy])
            #expect(stored["sha256"]?.string?.utf8.count == 64)
            let shown = try await run(["secret", "policy", "show", "edge"])
            #expect(shown["text"]?.string?.contains("id: edge") == true)
            let removed = try await run(["secret", "policy", "remove", "edge"])
            #expect(removed["removed"]?.string == "edge")
            let erased = try await run(["secret", "remove", "default/db/x"])
            #expect(erased["removed"]?.string == "default/db/x")
        }
    }

    @Test("Operators show a certificate to the broker as to the verifier; a key is needed with it")
    func certificates() async throws {
        let carnet = Program("carnet"), words = ["secret", "list", "--broker", "https://127.0.0.1:1"]
        let alone = try await carnet.run(words + ["--client-certificate", "/none.pem"])
        #expect(alone.status == 2 && alone.errors.contains("--client-key"), "\(alone)")
        let both = try await carnet.run(words + ["--client-certificate", "/none.pem", "--client-key", "/none.key"])
        #expect(both.status == 2 && both.errors.contains("/none.pem and /none.key are not a certificate"), "\(both)")
        let neither = try await carnet.run(words)
        #expect(neither.status == 2 && neither.errors.contains("CARNET_BROKER_TOKEN_FILE"), "\(neither)")
        #expect(neither.errors.contains("--client-certificate"), "\(neither)")
    }

    @Test("A disk key in escrow is listed, recovered with the operators' key, and destroyed") func escrow() async throws
    {
        let broker = try BrokerUnderTest(), folder = try TemporaryDirectory(), carnet = Program("carnet")
        let recovery = try PrivateKey.generate(), subject = "urn:carnet:node:11111111-2222-3333-4444-555555555555"
        let message = try SecretMessage.seal(
            Array("the disk's key".utf8), to: JSONWebKey(recovery.publicKey),
            recipientInfo: Array("carnet/disk-recovery/v1/\(subject)/root".utf8))
        let label = "PRIVATE KEY-----"
        let pem = try "-----BEGIN \(label)\n\(Data(recovery.pkcs8).base64EncodedString())\n-----END \(label)\n"
        let key = try folder.writeSecret(Array(pem.utf8), "recovery.key")
        try await broker.run { client in
            let environment = environment(broker, client)
            try await broker.policy("version: 1\nid: disks\nvolumes: [root]\n", client)
            let body = #"{"blob":"AQ","recovery":"\#(String(decoding: message, as: UTF8.self))"}"#
            let stored = try await broker.machine(
                .put, "/escrow/v1/volumes/root", broker.passport(), body: body, client
            ).answer
            #expect(stored.status == 201, "\(stored.text)")
            func run(_ words: [String], _ status: Int32 = 0) async throws -> Program.Ending {
                let ending = try await carnet.run(words, environment: environment)
                #expect(ending.status == status, "\(words): \(ending.text) \(ending.errors)")
                return ending
            }
            #expect(try await run(["escrow", "list"]).text.contains("recoverable by an operator's key"))
            let out = folder.path + "/disk.key"
            let words = [
                "escrow", "recover", subject, "root", "--key", key, "--reason", "board replaced", "--out", out,
            ]
            #expect(chmod(key, 0o640) == 0)
            let shared = try await run(words, 1)
            #expect(shared.errors.contains("chmod 600 \(key)"))
            #expect(chmod(key, 0o600) == 0)
            _ = try await run(words)
            #expect(FileManager.default.contents(atPath: out) == Data("the disk's key".utf8))
            #expect(try await run(words, 1).errors.contains("is there already"))
            #expect(FileManager.default.contents(atPath: out) == Data("the disk's key".utf8))
            #expect(try await run(words + ["--force", "--json"]).text.contains(#""volume" : "root""#))
            let other = try folder.writeSecret(
                Array(
                    pem.replacing(
                        Data(recovery.pkcs8).base64EncodedString(),
                        with: Data(try PrivateKey.generate().pkcs8).base64EncodedString()
                    ).utf8),
                "other.key")
            #expect(chmod(other, 0o600) == 0)
            _ = try await run(
                ["escrow", "recover", subject, "root", "--key", other, "--reason", "x", "--out", folder.path + "/no"], 1
            )
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/no"))
            // One that was deposited without a copy.
            let without = "urn:carnet:node:88888888-2222-3333-4444-555555555555"
            _ = try await broker.machine(
                .put, "/escrow/v1/volumes/root", broker.passport { $0.replacing(subject, with: without) },
                body: #"{"blob":"AQ"}"#, client)
            let recovered = try await run(
                ["escrow", "recover", without, "root", "--key", key, "--reason", "x", "--out", folder.path + "/no"], 1)
            #expect(recovered.errors.contains("was deposited without a recovery key"), "\(recovered.errors)")
            let unknown = try await run(
                ["escrow", "recover", without, "data", "--key", key, "--reason", "x", "--out", folder.path + "/no"], 1)
            #expect(unknown.errors.contains("There is no such key in escrow"))
            let destroyed = try await run(["escrow", "destroy", without, "--reason", "x", "--json"])
            #expect(destroyed.text.contains(#""volumes" : 1"#))
            // The copy of one machine, given out as another's.
            let impostor = "urn:carnet:node:99999999-2222-3333-4444-555555555555"
            _ = try await broker.machine(
                .put, "/escrow/v1/volumes/root", broker.passport { $0.replacing(subject, with: impostor) }, body: body,
                client)
            let stolen = try await run(
                ["escrow", "recover", impostor, "root", "--key", key, "--reason", "x", "--out", folder.path + "/no"], 1)
            #expect(stolen.errors.contains("does not open"))
            for words in [
                ["list", "--subject", "my-node"], ["destroy", "my-node", "--reason", "x"],
                ["recover", "my-node", "root", "--key", key, "--reason", "x", "--out", folder.path + "/no"],
            ] {
                #expect(try await run(["escrow"] + words, 2).errors.contains("carnet node list"), "\(words)")
            }
            let open = try folder.write(Array(pem.utf8), "open.key")
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: open)
            let exposed = try await run(
                ["escrow", "recover", subject, "root", "--key", open, "--reason", "x", "--out", folder.path + "/no"], 1)
            #expect(exposed.errors.contains("chmod 600"), "\(exposed)")
            _ = try await run(["escrow", "destroy", subject, "--reason", "stolen"])
            _ = try await run(["escrow", "destroy", impostor, "--reason", "stolen"])
            _ = try await run(["escrow", "destroy", subject, "--reason", "stolen"], 1)
            #expect(try await run(["escrow", "list"]).text.contains("No disk keys"))
        }
    }
}
