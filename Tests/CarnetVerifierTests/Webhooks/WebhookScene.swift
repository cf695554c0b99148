import CarnetService
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// A verifier that may ask loopback, and looks for messages all the time.
func verifierWithWebhooks(
    _ configure: @escaping @Sendable (inout VerifierConfiguration) -> Void = { _ in }
) throws -> VerifierUnderTest {
    try verifierWithPolicy { configuration in
        configuration.receivers = ReceiverRules.loopback
        configuration.webhookInterval = .milliseconds(20)
        configuration.servesMetrics = true
        configure(&configuration)
    }
}

extension VerifierUnderTest {
    /// Adds a subscription.
    func subscribe(_ url: String, _ client: ServiceClient, named name: String = "pager", with members: String = "")
        async throws -> (id: String, secret: String)
    {
        let answer = try await client.send(
            .post, "/admin/v1/webhooks", token: administrator, #"{"name":"\#(name)","url":"\#(url)"\#(members)}"#)
        return (
            try #require(try answer.json["id"]?.string, "\(answer.text)"),
            try #require(try answer.json["secret"]?.string)
        )
    }

    /// What the verifier says of a subscription.
    func webhook(_ id: String, _ client: ServiceClient) async throws -> JSONNode {
        try await client.call(.get, "/admin/v1/webhooks/\(id)", token: administrator).json
    }

    /// What the verifier says of its messages, newest first.
    func deliveries(_ id: String, _ client: ServiceClient) async throws -> [JSONNode] {
        let answer = try await client.call(.get, "/admin/v1/webhooks/\(id)/deliveries", token: administrator)
        return try #require(try answer.json["deliveries"]?.elements, "\(answer.text)")
    }

    /// Waits until the first of a subscription's messages, newest first, is as a test wants it.
    func wait(
        _ id: String, _ client: ServiceClient, until isGood: (JSONNode) -> Bool
    ) async throws -> JSONNode {
        for _ in 0..<500 {
            if let first = try await deliveries(id, client).first, isGood(first) { return first }
            try await Task.sleep(for: .milliseconds(20))
        }
        return try #require(try await deliveries(id, client).first)
    }

    /// Withdraws passports, which is an event.
    func withdraw(_ client: ServiceClient, _ target: String = #""issued_before":1"#) async throws {
        let answer = try await client.send(
            .post, "/admin/v1/revocations", token: administrator, #"{\#(target),"reason":"a test"}"#)
        #expect(answer.status == 201, "\(answer.text)")
    }
}

/// The check that the documentation gives to receivers, run by Python: nothing of it is ours.
struct DocumentedReceiver {
    private let python: Witness
    private let folder: TemporaryDirectory

    init?() throws {
        guard let python = try Witness.find("python3") else { return nil }
        self.python = python
        folder = try TemporaryDirectory()
    }

    /// What it says to a message: its type, or why not.
    func verdict(
        _ message: ScriptedReceiver.Message, _ secret: String, now: Int64, body: [UInt8]? = nil, id: String? = nil,
        timestamp: String? = nil, signature: String? = nil
    ) throws -> (isGood: Bool, word: String) {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Docs/Examples/check-webhook.py")
        let file = try folder.write(Array((secret + "\n").utf8), "secret")
        let testimony = try python.run(
            [
                script.path, "--secret-file", file, "--seen", folder.path + "/seen.db", "--id", id ?? message.id,
                "--timestamp", timestamp ?? message.timestamp, "--signature", signature ?? message.signature, "--now",
                String(now),
            ], input: body ?? message.body)
        return (
            testimony.status == 0, testimony.text.trimmingCharacters(in: .whitespacesAndNewlines) + testimony.errors
        )
    }
}
