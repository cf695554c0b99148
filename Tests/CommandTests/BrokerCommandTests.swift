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
        let without = try await carnet.run(["secret", "list"])
        #expect(without.status == 2 && without.errors.contains("--broker"))
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
        let key = try folder.write(Array(pem.utf8), "recovery.key")
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
            let other = try folder.write(
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
            _ = try await run(["escrow", "destroy", subject, "--reason", "stolen"])
            _ = try await run(["escrow", "destroy", impostor, "--reason", "stolen"])
            _ = try await run(["escrow", "destroy", subject, "--reason", "stolen"], 1)
            #expect(try await run(["escrow", "list"]).text.contains("No disk keys"))
        }
    }
}
