import BrokerHarness
import CarnetBroker
import CarnetRelyingService
import CarnetTesting
import HTTPTypes
import ServiceHarness
import Testing
import VerifierHarness

/// A broker that knows no keys, or whose lists are too old: it says so, to operators and to machines, and blames no machine.
@Suite struct OutageTests {
    /// Runs a broker with an issuer whose pages fail until they are changed.
    private static func withoutTrust(
        _ body: @Sendable (BrokerUnderTest, ScriptedIssuer, ServiceClient) async throws -> Void
    ) async throws {
        let page = ScriptedIssuer()
        page.change { $0.fails = true }
        try await page.run { base in
            let broker = try BrokerUnderTest { configuration in
                configuration.trust = .issuer(
                    BrokerUnderTest.issuer, base: base, authorityFile: nil, allowsPlainHTTP: true)
                configuration.servesMetrics = true
            }
            try await broker.run { client in
                _ = try await broker.put("a/b/c", Array("secret".utf8), client)
                try await broker.policy("version: 1\nid: all\nsecrets: [a/b/*]\n", client)
                try await body(broker, page, client)
            }
        }
    }

    /// Publishes keys, and a list that counts from now on for so many seconds.
    private static func publish(_ broker: BrokerUnderTest, _ page: ScriptedIssuer) throws {
        let now = broker.clock.now, keys = broker.forge.keySet
        let list = try broker.forge.statusList(
            BrokerUnderTest.issuer + "/status-lists/1-0", issuedAt: now, expiresAt: now + 86_400, timeToLive: 60, [:])
        page.change { page in
            page.fails = false
            page.keySet = keys
            page.lists = ["1-0": list]
        }
    }

    private static func ask(_ broker: BrokerUnderTest, _ client: ServiceClient) async throws -> ServiceClient.Answer {
        try await broker.machine(.post, "/release/v1/secrets/a/b/c", broker.passport(), client).answer
    }

    @Test("Without keys it is not ready, machines are told to come again, and the log says why, once")
    func noKeys() async throws {
        try await Self.withoutTrust { broker, page, client in
            for _ in 0..<3 {
                let answer = try await Self.ask(broker, client)
                #expect(answer.status == 503 && answer.problem == "unavailable", "\(answer.text)")
                #expect(answer.text.contains("No key of the issuer is at hand"), "\(answer.text)")
                let seconds = try #require(answer.header("Retry-After").flatMap { Int($0) })
                #expect((5...60).contains(seconds) && answer.header("DPoP-Nonce") != nil)
                broker.clock.advance(by: 5)
            }
            let ready = try await client.call(.get, "/readyz")
            #expect(ready.status == 503 && ready.problem == "unavailable" && ready.header("Retry-After") != nil)
            #expect(try await client.call(.get, "/livez").status == 200)
            #expect(try await client.call(.get, "/metrics").text.contains("\ncarnet_trust_usable 0\n"))
            let told = broker.log.text.filter { $0.contains("nobody is served without them") }
            #expect(told.count == 1 && told.first?.contains("404") == true, "\(told)")
            #expect(told.first?.contains("next_try") == true)
            // A guest of the other protocol is told the same in that protocol's words.
            let guest = try await client.call(
                .get, "/kbs/v0/resource/a/b/c", token: String(decoding: broker.passport(), as: UTF8.self))
            #expect(guest.status == 503 && guest.keyBrokerError == "PluginInternalError", "\(guest.text)")
            #expect(guest.header("Retry-After") != nil)

            try Self.publish(broker, page)
            broker.clock.advance(by: 120)
            try Self.publish(broker, page)
            let served = try await Self.ask(broker, client)
            #expect(served.status == 200, "\(served.text)")
            #expect(try await client.call(.get, "/readyz").status == 200)
            #expect(broker.log.text.contains { $0.contains("fetched again") })
        }
    }

    @Test("A status list that is too old is the broker's lack, and a passport that was withdrawn is still refused")
    func oldList() async throws {
        try await Self.withoutTrust { broker, page, client in
            try Self.publish(broker, page)
            broker.clock.advance(by: 60)
            #expect(try await Self.ask(broker, client).status == 200)
            page.change { $0.fails = true }
            broker.clock.advance(by: 400)
            let late = try await Self.ask(broker, client)
            #expect(late.status == 503 && late.text.contains("status list"), "\(late.text)")
            #expect(try await client.call(.get, "/readyz").status == 503)
            try Self.publish(broker, page)
            broker.clock.advance(by: 400)
            try Self.publish(broker, page)
            #expect(try await Self.ask(broker, client).status == 200)
            // What is wrong with a passport is told as before.
            let other = try await broker.machine(
                .post, "/release/v1/secrets/a/b/c", broker.passport(audience: "https://other.example"), client
            ).answer
            #expect(other.status == 401, "\(other.text)")
        }
    }

    @Test("A proof for another URL is told which URL is the broker's own") func otherURL() async throws {
        let broker = try BrokerUnderTest()
        try await broker.run { client in
            let answer = try await broker.machine(
                .post, "/release/v1/secrets/a/b/c", broker.passport(), proving: "/release/v1/secrets/a/b/d", client
            ).answer
            #expect(answer.status == 401 && answer.text.contains("\(BrokerUnderTest.url): give"), "\(answer.text)")
        }
    }
}
