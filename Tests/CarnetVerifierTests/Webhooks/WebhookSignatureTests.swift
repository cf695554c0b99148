import CarnetLedger
import CarnetStorage
import CarnetService
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// What a receiver can check, by the check that the guide gives it; and that nobody else learns the secret.
@Suite(.timeLimit(.minutes(5))) struct WebhookSignatureTests {
    /// A message and its secret.
    private func withMessage(
        _ body:
            @Sendable (ScriptedReceiver.Message, String, VerifierUnderTest, String, ServiceClient, ScriptedReceiver)
            async throws -> Void
    ) async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver()
        try await verifier.run { client in
            try await receiver.run { url in
                let (id, secret) = try await verifier.subscribe(url, client)
                _ = try await client.call(.post, "/admin/v1/webhooks/\(id)/test", token: verifier.administrator)
                let message = try #require(try await receiver.wait(for: 1).first)
                try await body(message, secret, verifier, id, client, receiver)
            }
        }
    }

    @Test("The documented check accepts a message once, and nothing that was changed, is old or came before")
    func check() async throws {
        guard let check = try DocumentedReceiver() else { return }
        try await withMessage { message, secret, verifier, _, _, _ in
            let now = verifier.clock.now
            func refused(_ verdict: (isGood: Bool, word: String), _ word: String) {
                #expect(!verdict.isGood && verdict.word == word, "\(verdict)")
            }
            for index in [0, message.body.count / 2, message.body.count - 1] {
                var body = message.body
                body[index] ^= 1
                refused(try check.verdict(message, secret, now: now, body: body), "no signature fits")
            }
            refused(try check.verdict(message, secret, now: now, body: message.body + [0x0A]), "no signature fits")
            refused(try check.verdict(message, secret, now: now, id: message.id + "0"), "no signature fits")
            let later = String((Int64(message.timestamp) ?? 0) + 1)
            refused(try check.verdict(message, secret, now: now, timestamp: later), "no signature fits")
            refused(try check.verdict(message, secret, now: now, signature: "v1,"), "no signature fits")
            let other = WebhookSecret().text
            refused(try check.verdict(message, other, now: now), "no signature fits")
            refused(try check.verdict(message, secret, now: now + 301), "the timestamp is too far from now")
            refused(try check.verdict(message, secret, now: now - 302), "the timestamp is too far from now")
            // Nothing of that was remembered.
            let good = try check.verdict(message, secret, now: now)
            #expect(good.isGood && good.word == "webhook.test", "\(good)")
            refused(try check.verdict(message, secret, now: now), "the message was seen before")
        }
    }

    @Test("While a secret is replaced both sign; afterwards, or without an overlap, the new one alone")
    func rotation() async throws {
        guard let check = try DocumentedReceiver() else { return }
        try await withMessage { _, old, verifier, id, client, receiver in
            let admin = try verifier.administrator
            func rotate(_ overlap: Int) async throws -> String {
                let answer = try await client.send(
                    .post, "/admin/v1/webhooks/\(id)/secret", token: admin, #"{"overlap_seconds":\#(overlap)}"#)
                return try #require(try answer.json["secret"]?.string, "\(answer.text)")
            }
            func next() async throws -> ScriptedReceiver.Message {
                let count = receiver.messages.count
                _ = try await client.call(.post, "/admin/v1/webhooks/\(id)/test", token: admin)
                return try #require(try await receiver.wait(for: count + 1).last)
            }
            func accepts(_ message: ScriptedReceiver.Message, _ secret: String) throws -> Bool {
                guard let fresh = try DocumentedReceiver() else { return false }
                return try fresh.verdict(message, secret, now: verifier.clock.now).isGood
            }
            _ = check
            let new = try await rotate(3600)
            let both = try await next()
            #expect(both.signature.split(separator: " ").count == 2)
            #expect(try accepts(both, new) && accepts(both, old))
            verifier.clock.advance(by: 3601)
            let after = try await next()
            #expect(after.signature.split(separator: " ").count == 1)
            #expect(try accepts(after, new) && !accepts(after, old))
            let third = try await rotate(0)
            let leaked = try await next()
            #expect(try accepts(leaked, third) && !accepts(leaked, new))
        }
    }

    @Test("The secret is in no list, no log, no ledger and not in the database; the URL's path is for administrators")
    func secrecy() async throws {
        try await withMessage { _, secret, verifier, id, client, _ in
            let admin = try verifier.administrator
            let viewer = try await verifier.token(.viewer, named: "v", client)
            let key = String(secret.dropFirst(6))
            let raw = try #require(Data(base64Encoded: key))
            for path in ["", "/\(id)", "/\(id)/deliveries"] {
                for token in [admin, viewer] {
                    let text = try await client.call(.get, "/admin/v1/webhooks\(path)", token: token).text
                    #expect(!text.contains(key), "\(path)")
                    #expect(token == admin || !text.contains("/hook"), "\(path)")
                }
            }
            #expect(try await verifier.webhook(id, client)["url"]?.string?.hasSuffix("/hook") == true)
            #expect(!verifier.log.text.contains { $0.contains(key) || $0.contains("/hook") })
            let content = try await verifier.database.content()
            #expect(content.range(of: raw) == nil && content.range(of: Data(key.utf8)) == nil)
            let ledger = Ledger(try await verifier.database.open())
            for chain in try await ledger.chains() {
                for line in try await ledger.lines(of: chain.name, after: -1, limit: 1000) {
                    #expect(!String(decoding: line.bytes, as: UTF8.self).contains("/hook"))
                }
            }
        }
    }

    @Test("Secrets go along when the key-encryption key is replaced, and open under it alone") func rewrap()
        async throws
    {
        let folder = try TemporaryDirectory(), database = try await testDatabase(), ledger = Ledger(database)
        let keys = try await KeyStore.open(database, .file(folder.path + "/old"), .verifier)
        let url = try WebhookURL("https://pager.example/", ReceiverRules())
        let (subscription, secret) = try await keys.webhooks(ledger).add(
            name: "pager", url: url, events: [.policyChanged], labels: .none, by: "x", now: 1)
        _ = try await keys.webhooks(ledger).test(subscription.id, by: "x", now: 1)
        let old = try #require(try KeyEncryptionKey.read(folder.path + "/old"))
        let other = try KeyEncryptionKey.create(folder.path + "/new")
        #expect(try await old.rewrap(ledger, under: other, at: 2) == 1)
        let reopened = try await KeyStore.open(database, .file(folder.path + "/new"), .verifier)
        let delivery = try #require(try await reopened.webhookQueue(ledger).next(subscription.id, at: 2))
        #expect(delivery.keys.map { WebhookSecret(key: $0).text } == [secret])
        await #expect(throws: (any Error).self) { try await keys.webhookQueue(ledger).next(subscription.id, at: 2) }
        // A wrap that was moved to another subscription does not open there.
        let (thief, _) = try await reopened.webhooks(ledger).add(
            name: "thief", url: url, events: [.policyChanged], labels: .none, by: "x", now: 3)
        _ = try await reopened.webhooks(ledger).test(thief.id, by: "x", now: 3)
        try await database.write { connection in
            try connection.execute("UPDATE webhook_secrets SET webhook = \(thief.id)")
        }
        await #expect(throws: (any Error).self) { try await reopened.webhookQueue(ledger).next(thief.id, at: 3) }
    }
}
