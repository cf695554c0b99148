import Fixtures
import Foundation
import Testing

/// The settings of the broker's program, and the example that lists them.
@Suite("carnet-broker's configuration", .timeLimit(.minutes(3))) struct BrokerConfigurationTests {
    private let broker = Program("carnet-broker"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    @Test("The example lists every setting once, and can be printed") func example() async throws {
        try await ExampleSettings.expectWhole("broker.yaml", of: broker, in: folder)
    }

    @Test(
        "What cannot be used is told before anything starts",
        arguments: [
            (["--listen", "nowhere"], "--listen"), (["--url", "broker.example"], "--url"),
            (["--issuer", "https://v.example", "--bundle", "b"], "--bundle-root"),
            (["--maximum-status-age", "-1"], "--maximum-status-age"),
            (["--maximum-status-age", "119"], "--maximum-status-age"), (["--machine-rate", "-1"], "--machine-rate"),
            (["--verifier-token-file", "t", "--issuer", ""], "--"),
        ]) func refused(words: [String], name: String) async throws
    {
        let base = [
            "--data", folder.path + "/data", "--plain-http", "--url", "http://127.0.0.1:1", "--issuer",
            "https://verifier.example", "--listen", "127.0.0.1:0",
        ]
        let ending = try await broker.run(base + words + ["--check-config"])
        #expect(ending.status != 0 && ending.errors.contains(name), "\(ending)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/data"))
    }

    @Test("The first example of --help starts a broker, as it is written", arguments: [["--help"], ["help", "serve"]])
    func example(help: [String]) async throws {
        let text = try await broker.run(help).text.replacing("\\\n", with: " ")
        let line = try #require(
            text.split(separator: "\n").first {
                $0.trimmingCharacters(in: .whitespaces).hasPrefix("carnet-broker --data")
            })
        let address = folder.path + "/address"
        let words = line.split(separator: " ").dropFirst().map { word in
            String(word).replacing("./broker", with: folder.path + "/broker")
                .replacing("127.0.0.1:8553", with: "127.0.0.1:0")
        }
        let running = try broker.start(words + ["--address-file", address], log: folder.path + "/log")
        let isUp = try await eventually { FileManager.default.fileExists(atPath: address) }
        _ = running.stop()
        let log = String(decoding: try folder.read("log"), as: UTF8.self)
        #expect(isUp, "\(log)")
        // Another key than the first start's: the message names this program.
        let key = try folder.writeSecret(Array("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n".utf8), "other-key")
        for check in [[], ["--check-config"]] {
            let wrong = try await broker.run(words + ["--key-encryption-key", key] + check)
            #expect(wrong.status == 1 && wrong.errors.contains("carnet-broker rewrap"), "\(wrong)")
        }
    }

    @Test(
        "Without --listen it takes its own port; a verifier without TLS has to be asked for, by an option that is named"
    )
    func defaults() async throws {
        let words = [
            "--data", folder.path + "/d", "--plain-http", "--url", "http://127.0.0.1:1", "--issuer",
            "https://verifier.example",
        ]
        let settings = try await broker.run(words + ["--print-config"])
        #expect(settings.text.contains("127.0.0.1:8553") && !settings.text.contains("8443"), "\(settings)")
        // A thumbprint may begin with a dash.
        let root = "-" + String(repeating: "A", count: 42)
        let dashed = try await broker.run(words + ["--bundle", "b", "--bundle-root", root, "--print-config"])
        #expect(dashed.status == 0 && dashed.text.contains(root), "\(dashed)")
        let plain = try await broker.run(words + ["--verifier", "http://127.0.0.1:1", "--check-config"])
        #expect(plain.status == 1 && plain.errors.contains("--verifier-plain-http"), "\(plain)")
    }

    @Test("A slip in --data is told of, and another program's database is told as what it is")
    func places() async throws {
        let data = folder.path + "/data"
        let made = try await broker.run(["bootstrap", "--data", data, "--out", folder.path + "/a"])
        #expect(made.status == 0 && made.errors.contains("new database") && made.errors.contains(data), "\(made)")
        let again = try await broker.run(["bootstrap", "--data", data, "--out", folder.path + "/b", "--recover"])
        #expect(again.status == 0 && !again.errors.contains("new database"), "\(again)")
        let verifier = try await Program("carnet-verifier").run([
            "bootstrap", "--data", data, "--out", folder.path + "/c",
        ])
        #expect(verifier.status != 0 && verifier.errors.contains("use the program that wrote it"), "\(verifier)")
        #expect(verifier.errors.utf8.count < 400, "\(verifier)")
    }

    @Test(
        "A first start makes what is missing, an administrator is made once, and rewrap puts the secrets under another key"
    )
    func life() async throws {
        let data = folder.path + "/data", token = folder.path + "/token"
        let made = try await broker.run(["bootstrap", "--data", data, "--out", token])
        #expect(made.status == 0, "\(made)")
        #expect(try await broker.run(["bootstrap", "--data", data]).status == 1)
        let words = [
            "--data", data, "--plain-http", "--url", "http://127.0.0.1:1", "--issuer", "https://verifier.example",
            "--check-config",
        ]
        // What operators set for `carnet` in the same shell is no slip; what nobody reads is.
        let check = try await broker.run(words, environment: ["CARNET_BROKER_TOKEN_FILE": token])
        #expect(check.status == 0 && check.text.contains("can be used"), "\(check)")
        let slip = try await broker.run(words, environment: ["CARNET_BROKER_TOKEN_FIL": token])
        #expect(slip.status == 2 && slip.errors.contains("CARNET_BROKER_TOKEN_FIL"), "\(slip)")
    }
}
