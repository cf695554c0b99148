import CarnetRelyingParty
import CarnetResult
import CarnetTrustRefresh
@testable import CarnetRecords
import CarnetVerifier
import Cryptography
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Synchronization
import Testing
import VerifierHarness

/// Two replicas on one database rotate their keys while machines get passports from both. One relying party keeps the key set as long as
/// it may, and never asks because of a passport; another has nothing but the trust bundles that it is given.
@Suite("Rotation under load", .serialized, .timeLimit(.minutes(3)))
struct SigningKeyLoadTests {
    /// An hour, the shortest period, with the shortest lead.
    private static func configure(_ configuration: inout VerifierConfiguration) {
        configuration.signingKeys.period = 3600
        configuration.signingKeys.lead = SigningKeySchedule.shortestLead
        configuration.signingKeyInterval = .milliseconds(10)
        configuration.signingKeyNotice = .milliseconds(5)
        configuration.tokenLifetime = 3600
        configuration.sessionLifetime = 600
    }

    /// What relying parties trust at the moment, and what became of it.
    private struct State: Sendable {
        var offline: PassportVerifier
        /// Those that are shown again and again, and those of the last step.
        var tokens: [[UInt8]] = [], fresh: [[UInt8]] = []
        var mintedCount = 0, kids: Set<String> = []
        var refused: [String] = []
        var isOver = false
    }

    private final class Parties: Sendable {
        private let state: Mutex<State>

        init(offline: PassportVerifier) { state = Mutex(State(offline: offline)) }

        func withLock<Value: Sendable>(_ body: (inout sending State) -> sending Value) -> Value {
            state.withLock(body)
        }
    }

    private static func bundle(
        _ client: ServiceClient, _ key: SigningKey, at now: Int64
    ) async throws -> PassportVerifier {
        let keys = try await JSONWebKeySet(parsing: client.call(.get, "/.well-known/jwks.json").body)
        let issuer = BundledIssuer(name: VerifierUnderTest.issuer, currentKeys: keys)
        let content = BundleContent(issuedAt: now, expiresAt: now + 3600, grace: 0, issuers: [issuer])
        let token = try key.sign(content, named: "urn:example:trust")
        let bundle = try TrustBundle(parsing: token, trusting: BundleTrust(rootKey: key.keyID), at: now)
        return try PassportVerifier(bundle: bundle, audience: VerifierUnderTest.audience) {
            $0.revocation = .notChecked
        }
    }

    private static func mint(
        _ machine: SimulatedMachine, _ parties: Parties, _ refresher: TrustRefresher,
        _ clock: SettableClock
    ) async throws {
        let answer = try await machine.answer(machine.session())
        guard let token = try answer.json["result"]?.string else {
            return parties.withLock { $0.refused.append("no passport: \(answer.text)") }
        }
        check(Array(token.utf8), parties, refresher, clock, "new")
        let kid = try kid(Array(token.utf8))
        parties.withLock { state in
            state.fresh.append(Array(token.utf8))
            state.kids.insert(kid)
        }
    }

    private static func check(
        _ token: [UInt8], _ parties: Parties, _ refresher: TrustRefresher, _ clock: SettableClock,
        _ what: String
    ) {
        let now = clock.now, offline = parties.withLock { $0.offline }
        for (name, verifier) in [("refreshing", refresher.verifier), ("offline", offline)] {
            do throws(Refusal) {
                _ = try verifier.verify(token, at: now)
            } catch {
                // What expires between two looks at the clock is no gap.
                if error.code == .expired { continue }
                let why = "\(what) at the \(name) party at \(now): \(error) \((try? kid(token)) ?? "")"
                parties.withLock { $0.refused.append(why) }
            }
        }
    }

    @Test("Over many rotations no relying party refuses one valid passport, until a key is revoked")
    func noGap() async throws {
        let first = try verifierWithPolicy(Self.configure), clock = first.clock
        try await first.run { client in
            let second = try VerifierUnderTest(sharing: first.database) { configuration in
                Self.configure(&configuration)
                configuration.dataDirectory = first.folder
                configuration.clock = WallClock { clock.now }
            }
            try await second.run { other in
                try await Self.run(client, other, administrator: first.administrator, clock)
            }
        }
        #expect(!first.log.text.joined().contains("schedule could not be kept"))
    }

    private static func run(
        _ client: ServiceClient, _ other: ServiceClient, administrator: String, _ clock: SettableClock
    ) async throws {
        let bundler = try SigningKey(.generate())
        let refresher = TrustRefresher(
            try await Office.relyingParty(client),
            from: try .issuer(at: "http://127.0.0.1:\(client.port)", allowsPlainHTTP: true), now: { clock.now })
        let parties = Parties(offline: try await bundle(client, bundler, at: clock.now))
        var machines: [SimulatedMachine] = []
        for number in 0..<3 {
            let tpm = try SimulatedTPM()
            try await SimulatedMachine(tpm, named: "node-\(number)", client).enrol(administrator: administrator)
            machines.append(SimulatedMachine(tpm, named: "node-\(number)", number % 2 == 0 ? client : other))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for machine in machines {
                group.addTask { @Sendable in
                    while !parties.withLock({ $0.isOver }) {
                        try await mint(machine, parties, refresher, clock)
                        try await Task.sleep(for: .milliseconds(10))
                    }
                }
            }
            defer { parties.withLock { $0.isOver = true } }
            for step in 1...60 {
                clock.advance(by: 220)
                try await Task.sleep(for: .milliseconds(60))
                let outcome = await refresher.refreshIfDue()
                #expect(outcome == .refreshed)
                // The offline party's bundles come every 50 minutes, and after each rotation that nobody planned.
                var isBundleDue = step % 13 == 0
                if step == 20 || step == 41 {
                    // As the guide says: nobody has a bundle from before the last rotation when one is made by hand.
                    let offline = try await bundle(other, bundler, at: clock.now)
                    parties.withLock { $0.offline = offline }
                    let answer = try await other.send(
                        .post, "/admin/v1/signing-keys/rotation", token: administrator, #"{"reason":"A test"}"#)
                    #expect(answer.status == 200 || answer.problem == "key-too-young", "\(answer.text)")
                    isBundleDue = true
                }
                if isBundleDue {
                    let offline = try await bundle(other, bundler, at: clock.now)
                    parties.withLock { $0.offline = offline }
                }
                // A few of those that were minted in between go on being shown until they expire.
                parties.withLock { state in
                    state.mintedCount += state.fresh.count
                    state.tokens = state.tokens.suffix(60) + state.fresh.suffix(3)
                    state.fresh = []
                }
                for token in parties.withLock({ $0.tokens }) { check(token, parties, refresher, clock, "older") }
            }
            parties.withLock { $0.isOver = true }
            try await group.waitForAll()
        }
        let (refused, kids, count) = parties.withLock { ($0.refused, $0.kids, $0.mintedCount) }
        if !refused.isEmpty {
            let keys = try await client.call(.get, "/admin/v1/signing-keys", token: administrator).text
            Issue.record("\(refused.count): \(refused.prefix(3)) \(keys)")
        }
        #expect(kids.count >= 5 && count >= 200, "\(kids.count) keys, \(count) passports")
        let offline = try await bundle(other, bundler, at: clock.now)
        _ = await refresher.refreshIfDue()
        try await revoke(client, other, machines[0], refresher, offline, administrator, clock)
        await refresher.close()
    }

    private static func kid(_ token: [UInt8]) throws -> String {
        let header = token.split(separator: UInt8(ascii: "."))[0]
        let bytes = try #require(Base64URL.decode(header))
        return try JSONDocument(parsing: bytes, maximumByteCount: 1024).root["kid"]?.string ?? ""
    }

    /// A key leaks: its passports die with the next key set, and new ones are good at once.
    private static func revoke(
        _ client: ServiceClient, _ other: ServiceClient, _ machine: SimulatedMachine, _ refresher: TrustRefresher,
        _ offline: PassportVerifier, _ administrator: String, _ clock: SettableClock
    ) async throws {
        let old = Array(try #require(try await machine.answer(machine.session()).json["result"]?.string).utf8)
        let answer = try await client.send(
            .post, "/admin/v1/signing-keys/\(kid(old))/revocation", token: administrator, #"{"reason":"A test"}"#)
        #expect(answer.status == 200, "\(answer.text)")
        try await Task.sleep(for: .milliseconds(20))
        for client in [client, other] {
            let keys = try await JSONWebKeySet(parsing: client.call(.get, "/.well-known/jwks.json").body)
            #expect(try keys.keys[kid(old)] == nil)
        }
        let new = Array(try #require(try await machine.answer(machine.session()).json["result"]?.string).utf8)
        #expect(throws: Never.self) { try refresher.verifier.verify(new, at: clock.now) }
        #expect(throws: Never.self) { try offline.verify(new, at: clock.now) }
        clock.advance(by: 299)
        _ = await refresher.refreshIfDue()
        #expect(refresher.lastOutcome == .refreshed)
        do throws(Refusal) {
            _ = try refresher.verifier.verify(old, at: clock.now)
            Issue.record("a revoked key's passport was accepted")
        } catch {
            #expect(error.code == .unknownKey)
        }
        // Without network nobody learns of it before the next bundle.
        #expect(throws: Never.self) { try offline.verify(old, at: clock.now) }
    }
}
