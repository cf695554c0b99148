import BrokerHarness
import CarnetBroker
import CarnetRelyingService
import CarnetResult
import CarnetService
import CarnetTesting
import Foundation
import HTTPTypes
import ServiceHarness
import Synchronization
import Testing
import VerifierHarness

/// A broker that starts while its verifier is away: one issuer whose pages the test writes, and a machine with its passport.
@Suite struct KeptTrustTests {
    private static let listName = "https://verifier.example/status-lists/1-0"

    /// Runs a broker once with its verifier, and gives it to `body` when the verifier is gone.
    private static func away(
        listFor seconds: Int64 = 6000, statusAge: Int64 = 36_000, revoking revoked: [Int] = [],
        _ body: (BrokerUnderTest) async throws -> Void
    ) async throws {
        let page = ScriptedIssuer()
        let broker = try await page.run { base in
            let broker = try BrokerUnderTest { configuration in
                configuration.trust = .issuer(
                    BrokerUnderTest.issuer, base: base, authorityFile: nil, allowsPlainHTTP: true)
                configuration.maximumStatusAge = statusAge
            }
            let now = broker.clock.now
            let list = try broker.forge.statusList(
                listName, issuedAt: now, expiresAt: now + seconds, timeToLive: seconds,
                Dictionary(revoked.map { ($0, .invalid) }) { $1 })
            let keys = broker.forge.keySet
            page.change { page in
                page.keySet = keys
                page.lists = ["1-0": list]
            }
            try await broker.run { client in
                _ = try await broker.put("a/b/c", Array("secret".utf8), client)
                try await broker.policy("version: 1\nid: all\nsecrets: [a/b/*]\n", client)
                try await Self.expect(200, broker, client)
            }
            return broker
        }
        try await body(broker)
    }

    private static func ask(
        _ broker: BrokerUnderTest, _ client: ServiceClient, index: Int = 1
    ) async throws -> ServiceClient.Answer {
        try await broker.machine(
            .post, "/release/v1/secrets/a/b/c", broker.passport(index: index), client
        ).answer
    }

    private static func expect(
        _ status: Int, _ broker: BrokerUnderTest, _ client: ServiceClient,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await ask(broker, client)
        #expect(answer.status == status, "\(answer.text)", sourceLocation: location)
    }

    private static func file(_ broker: BrokerUnderTest) -> String { broker.folder + "/kept-trust" }

    @Test("It answers as before until the status list ends, and then says that the list did") func until() async throws
    {
        try await Self.away { broker in
            let mode = try FileManager.default.attributesOfItem(atPath: Self.file(broker))[.posixPermissions] as? Int
            #expect(mode == 0o600)
            try await broker.run { client in
                try await Self.expect(200, broker, client)
                broker.clock.advance(by: 5000)
                try await Self.expect(200, broker, client)
            }
            try await broker.run { client in
                try await Self.expect(200, broker, client)
                broker.clock.advance(by: 1100)
                let late = try await Self.ask(broker, client)
                #expect(late.status == 503 && late.problem == "unavailable", "\(late.text)")
                #expect(late.text.contains("status list expired"), "\(late.text)")
            }
            // What has ended is not believed again by the next start either.
            try await broker.run { client in
                let late = try await Self.ask(broker, client)
                #expect(late.status == 503 && late.text.contains("status list"), "\(late.text)")
            }
        }
    }

    @Test("The oldest list that is accepted is no older after a restart, and what was withdrawn stays withdrawn")
    func staleness() async throws {
        try await Self.away(listFor: 86_400, statusAge: 300, revoking: [5]) { broker in
            try await broker.run { client in
                try await Self.expect(200, broker, client)
                let revoked = try await Self.ask(broker, client, index: 5)
                #expect(revoked.status == 401 && revoked.text.contains("withdrew"), "\(revoked.text)")
                broker.clock.advance(by: 301)
                let late = try await Self.ask(broker, client)
                #expect(late.status == 503 && late.text.contains("at most 5 minutes"), "\(late.text)")
            }
        }
    }

    @Test("Keys count for a day from when they were fetched, however often the broker starts") func keys() async throws
    {
        try await Self.away(listFor: 10 * 86_400, statusAge: 86_400) { broker in
            for seconds: Int64 in [40_000, 40_000] {
                broker.clock.advance(by: seconds)
                try await broker.run { client in
                    try await Self.expect(200, broker, client)
                }
            }
            broker.clock.advance(by: 6_401)
            try await broker.run { client in
                try await Self.expect(503, broker, client)
            }
            let isTold = broker.log.text.contains { $0.contains("stopped counting") }
            #expect(isTold)
        }
    }

    @Test(
        "A file that was altered, cut, exchanged, opened to others or dated ahead brings nothing, and the broker starts",
        arguments: ["mark", "content", "cut", "empty", "mode", "broker", "clock", "gone"])
    func spoilt(_ how: String) async throws {
        try await Self.away { broker in
            let file = Self.file(broker)
            var bytes = Array(try Data(contentsOf: URL(filePath: file)))
            switch how {
            case "mark": bytes[0] ^= 1
            case "content": bytes[bytes.count / 2] ^= 1
            case "cut": bytes.removeLast()
            case "empty": bytes = []
            case "broker":
                try await Self.away { other in
                    bytes = Array(try Data(contentsOf: URL(filePath: Self.file(other))))
                }
            default: break
            }
            if how == "gone" {
                try FileManager.default.removeItem(atPath: file)
            } else {
                try Data(bytes).write(to: URL(filePath: file))
                let mode = how == "mode" ? 0o644 : 0o600
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
            }
            if how == "clock" { broker.clock.advance(by: -120) }
            try await broker.run { client in
                let answer = try await Self.ask(broker, client)
                #expect(answer.status == 503, "\(answer.text)")
            }
            let isTold = broker.log.text.contains { $0.contains("of the last run are not taken") }
            #expect(isTold == (how != "gone"))
        }
    }

    @Test("Another verifier's keys are not taken when the broker is told to believe somebody else") func issuer()
        async throws
    {
        let page = ScriptedIssuer(), other = Flag()
        let broker = try await page.run { base in
            let broker = try BrokerUnderTest { configuration in
                let issuer = other.isSet ? "https://other.example" : BrokerUnderTest.issuer
                configuration.trust = .issuer(issuer, base: base, authorityFile: nil, allowsPlainHTTP: true)
            }
            let keys = broker.forge.keySet
            page.change { $0.keySet = keys }
            try await broker.run { client in _ = try await Self.ask(broker, client) }
            return broker
        }
        #expect(FileManager.default.fileExists(atPath: Self.file(broker)))
        other.set()
        try await broker.run { client in
            try await Self.expect(503, broker, client)
        }
        let isTold = broker.log.text.contains { $0.contains("whose passports do not count here") }
        #expect(isTold)
    }
}

/// Something that is so from some time on.
private final class Flag: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}
