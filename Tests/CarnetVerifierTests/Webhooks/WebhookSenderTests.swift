import CarnetService
import Fixtures
import Foundation
import ServiceHarness
import Synchronization
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// Requests that a verifier must not be made to send.
@Suite(.timeLimit(.minutes(2))) struct WebhookSenderTests {
    private static let loopback = ReceiverRules.loopback

    private func sender(
        _ rules: ReceiverRules = ReceiverRules(), _ resolve: @escaping @Sendable (String) async throws -> [IPAddress]
    ) -> WebhookSender {
        WebhookSender(rules: rules, timeout: 3, resolve: resolve)
    }

    @Test(
        "A name that leads inside, alone or beside a public address, is not asked",
        arguments: [
            ["127.0.0.1"], ["10.0.0.1"], ["1.1.1.1", "169.254.169.254"], ["::1"], ["::ffff:127.0.0.1"], ["fd00::1"],
        ])
    func inside(_ texts: [String]) async {
        let outcome = await sender { _ in texts.compactMap { IPAddress($0) } }.send(
            [], [], to: "https://pager.example/")
        guard case .failed(let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("not in the public internet"), "\(reason)")
    }

    @Test("A name is looked up once for each message, and what was found is what is asked") func rebinding()
        async throws
    {
        let receiver = ScriptedReceiver()
        try await receiver.run { url in
            let port = url.dropFirst("http://127.0.0.1:".count).prefix { $0 != "/" }
            let count = Mutex(0)
            // A second look-up would lead to the receiver.
            let sender = WebhookSender(rules: Self.loopback, timeout: 3) { _ in
                let isFirst = count.withLock { count in
                    count += 1
                    return count == 1
                }
                return [IPAddress(isFirst ? "127.0.0.9" : "127.0.0.1")].compactMap { $0 }
            }
            // `localhost` would be found by any other look-up.
            let outcome = await sender.send([], [], to: "https://localhost:\(port)/hook")
            guard case .failed(let reason) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            // Nobody listens at the address that was found first. The receiver would have answered, if not with TLS.
            #expect(reason.contains("efused"), "\(reason)")
            #expect(count.withLock { $0 } == 1 && receiver.messages.isEmpty)
        }
    }

    @Test("A rule that was taken back holds for what waits") func takenBack() async throws {
        let receiver = ScriptedReceiver()
        try await receiver.run { url in
            let body = Array("{}".utf8)
            let allowed = await sender(Self.loopback) { _ in [] }.send(body, [("webhook-id", "msg_1")], to: url)
            #expect(allowed == .answered(status: 204, retryAfter: nil))
            let refused = await sender { _ in [] }.send(body, [], to: url)
            guard case .failed(let reason) = refused else {
                Issue.record("\(refused)")
                return
            }
            #expect(reason.contains("127.0.0.1") && receiver.messages.map(\.id) == ["msg_1"])
        }
    }

    @Test("A resolver that never answers, or has nothing, ends in time") func resolver() async {
        let never = await sender { _ in
            try await Task.sleep(for: .seconds(60))
            return []
        }.send([], [], to: "https://pager.example/")
        #expect(never == .failed("The receiver did not answer within 3 seconds."))
        let nothing = await sender { _ in [] }.send([], [], to: "https://pager.example/")
        #expect(nothing == .failed("pager.example has no address."))
    }

    @Test("The system's resolver knows this machine, and says when it knows nothing") func system() async throws {
        #expect(try await NameResolution.addresses(of: "localhost").contains { $0.isLoopback })
        await #expect(throws: NameResolution.Failure.self) { try await NameResolution.addresses(of: "nobody.invalid") }
    }

    @Test("The address is the one that was looked up, and the certificate has to be the name's") func certificate()
        async throws
    {
        guard let openssl = try Witness.find("openssl") else { return }
        let folder = try TemporaryDirectory(), certificate = folder.path + "/cert.pem", key = folder.path + "/key.pem"
        let made = try openssl.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
            certificate, "-days", "1", "-subj", "/CN=carnet", "-addext", "subjectAltName=DNS:pager.test",
        ])
        try #require(made.status == 0, "\(made.errors)")
        chmod(key, 0o600)
        let receiver = ScriptedReceiver()
        let security = TransportSecurity.tls(certificateFile: certificate, privateKeyFile: key)
        try await receiver.run(security: security) { url in
            let port = url.dropFirst("http://127.0.0.1:".count).prefix { $0 != "/" }
            func send(to host: String, trusting file: String?) async -> WebhookSender.Outcome {
                var sender = WebhookSender(rules: Self.loopback, timeout: 5) { _ in
                    ["127.0.0.1"].compactMap { IPAddress($0) }
                }
                sender.authorityFile = file
                return await sender.send(
                    Array("{}".utf8), [("webhook-id", "msg_1")], to: "https://\(host):\(port)/hook")
            }
            // No resolver of the system knows this name.
            #expect(await send(to: "pager.test", trusting: certificate) == .answered(status: 204, retryAfter: nil))
            for outcome in [
                await send(to: "other.test", trusting: certificate), await send(to: "127.0.0.1", trusting: certificate),
                await send(to: "pager.test", trusting: nil),
            ] {
                guard case .failed(let reason) = outcome, reason.contains("webhook-ca-file") else {
                    Issue.record("\(outcome)")
                    return
                }
            }
            #expect(receiver.messages.count == 1)
        }
    }
}
