import CarnetTesting
import Fixtures
import Foundation
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Receivers, with the programs alone.
@Suite("carnet webhook", .timeLimit(.minutes(5)))
struct WebhookCommandTests {
    private let carnet = Program("carnet"), verifier = Program("carnet-verifier"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// Starts a verifier that may ask loopback.
    private func start() async throws -> (running: Program.Running, environment: [String: String]) {
        let address = folder.path + "/address"
        try? FileManager.default.removeItem(atPath: address)
        let running = try verifier.start(
            [
                "--data", folder.path + "/data", "--issuer", VerifierUnderTest.issuer, "--audience",
                VerifierUnderTest.audience, "--plain-http", "--listen", "127.0.0.1:0", "--address-file", address,
                "--webhook-allow", "127.0.0.0/8", "--drain-seconds", "0",
            ], log: folder.path + "/log")
        #expect(try await eventually { FileManager.default.fileExists(atPath: address) })
        let token = folder.path + "/alice.token"
        if !FileManager.default.fileExists(atPath: token) {
            let made = try await verifier.run(["bootstrap", "--data", folder.path + "/data", "--out", token])
            #expect(made.status == 0, "\(made)")
        }
        let text = String(decoding: try folder.read("address"), as: UTF8.self).filter { $0 != "\n" }
        let environment = [
            "CARNET_VERIFIER": "http://" + text, "CARNET_PLAIN_HTTP": "1",
            "CARNET_TOKEN_FILE": token,
        ]
        return (running, environment)
    }

    @Test(
        "What was committed when a verifier is killed arrives after its restart; a receiver is added, shown, tried, removed"
    )
    func killed() async throws {
        let receiver = ScriptedReceiver()
        let url = try await receiver.run { $0 }
        let port = try #require(url.split(separator: ":").last?.split(separator: "/").first.flatMap { Int($0) })
        let secret = folder.path + "/pager.secret"
        do {
            let (running, environment) = try await start()
            func run(_ words: String...) async throws -> Program.Ending {
                try await carnet.run(words, environment: environment)
            }
            let refused = try await run("webhook", "add", "inside", "--url", "https://10.0.0.1/")
            #expect(refused.status == 1 && refused.errors.contains("--webhook-allow"), "\(refused)")
            let added = try await run("webhook", "add", "pager", "--url", url, "--out", secret)
            #expect(added.status == 0 && added.text.contains("carnet webhook test pager"), "\(added)")
            let attributes = try FileManager.default.attributesOfItem(atPath: secret)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(String(decoding: try folder.read("pager.secret"), as: UTF8.self).hasPrefix("whsec_"))
            let revoked = try await run("revoke", "before", "2020-01-01T00:00:00Z", "--reason", "A test")
            #expect(revoked.status == 0, "\(revoked)")
            withExtendedLifetime(running) {}
            // The last reference: SIGKILL.
        }
        #expect(receiver.messages.isEmpty)
        try await receiver.run(port: port) { _ in
            let (running, environment) = try await start()
            func run(_ words: String...) async throws -> Program.Ending {
                try await carnet.run(["webhook"] + words, environment: environment)
            }
            for _ in 0..<6 where receiver.messages.isEmpty { try await receiver.wait(for: 1) }
            #expect(receiver.messages.first?.type == "passports.revoked")
            let tested = try await run("test", "pager")
            #expect(tested.status == 0 && tested.text.contains("pager took msg_"), "\(tested)")
            let list = try await run("list")
            #expect(list.status == 0 && list.text.contains("working") && list.text.contains(url), "\(list)")
            let shown = try await run("show", "pager", "--json")
            let entry = try JSONDocument(parsing: shown.output, maximumByteCount: 65_536).root
            #expect(entry["waiting"]?.integer == 0 && entry["events"]?.count == 4)
            let deliveries = try await run("deliveries", "pager", "--json")
            let all = try #require(try JSONDocument(parsing: deliveries.output, maximumByteCount: 65_536).root.elements)
            #expect(Set(all.compactMap { $0["event"]?.string }) == ["webhook.test", "passports.revoked"])
            #expect(all.allSatisfy { $0["state"]?.string == "delivered" })
            let rotated = try await run("rotate-secret", "pager", "--overlap", "60")
            #expect(rotated.status == 0 && rotated.text.hasPrefix("whsec_"), "\(rotated)")
            receiver.answers(.status(500))
            let failed = try await run("test", "pager")
            #expect(failed.status == 1 && failed.errors.contains("500"), "\(failed)")
            let removed = try await run("remove", "pager"), unknown = try await run("show", "pager")
            #expect(removed.status == 0 && unknown.status == 1)
            let empty = try await run("list")
            #expect(empty.text.contains("Nobody is told anything"))
            #expect(running.stop() == 0)
        }
    }
}
