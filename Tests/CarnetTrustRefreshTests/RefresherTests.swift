import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import HTTPTypes
import NIOConcurrencyHelpers
import ServiceHarness
import Synchronization
import Testing
import VerifierHarness

@testable import CarnetTrustRefresh

/// A refresher against an issuer that a test directs, over real HTTP, with a clock that the test sets.
@Suite("Staying up to date", .timeLimit(.minutes(5)))
struct RefresherTests {
    static let start: Int64 = 1_800_000_000
    static let issuer = "https://verifier.example", audience = "https://service.example"

    final class Clock: Sendable {
        private let time = Mutex(RefresherTests.start)
        var now: Int64 { time.withLock(\.self) }
        func advance(_ seconds: Int64) { time.withLock { $0 += seconds } }
    }

    /// Who signs; nobody when it is over.
    final class Rotation: Sendable {
        let signer: Mutex<TokenForge?>
        init(_ first: TokenForge) { signer = Mutex(first) }
    }

    private func refresher(
        _ forge: TokenForge, _ base: String, _ clock: Clock, lists: Bool = true
    ) throws -> TrustRefresher {
        let verifier = try PassportVerifier(
            keySet: forge.keySet, expectations: Expectations(issuer: Self.issuer, audience: Self.audience),
            remembering: 64)
        return TrustRefresher(
            verifier, from: try .issuer(at: base, statusLists: lists, allowsPlainHTTP: true), now: { clock.now })
    }

    private static func keys(_ forges: TokenForge...) -> [UInt8] {
        JSONWebKeySet(Dictionary(uniqueKeysWithValues: forges.map { ($0.signingKey.keyID, $0.signingKey.publicKey) }))
            .bytes
    }

    private func code(_ refresher: TrustRefresher, _ token: [UInt8]) async -> Refusal.Code? {
        do throws(Refusal) {
            _ = try await refresher.verify(token)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("Last good stays through failures, garbage, foreign lists and redirects, and the reason is told")
    func lastGood() async throws {
        let forge = try TokenForge(), clock = Clock(), page = ScriptedIssuer()
        page.change { $0.keySet = Self.keys(forge) }
        try await page.run { base in
            let refresher = try refresher(forge, base, clock)
            #expect(await refresher.refreshIfDue() == .refreshed)
            #expect(await refresher.refreshIfDue() == .notDue)
            let token = try forge.signingKey.mint(forge.result(issuedAt: clock.now, lifetime: 3600))
            let spoilers: [(inout ScriptedIssuer.Page) -> Void] = [
                { $0.fails = true }, { $0.keySet = Array("{}".utf8) }, { $0.redirect = "https://127.0.0.1:1/x" },
                { $0.keySet = [UInt8](repeating: 0x20, count: 100_000) },
                { $0.names = Array(#"{"status_lists":["https://evil.example/status-lists/1"]}"#.utf8) },
                { $0.names = Array(#"{"status_lists":["https://verifier.example/../x"]}"#.utf8) },
                { $0.names = Array(#"{"status_lists":["https://verifier.example/status-lists/404"]}"#.utf8) },
            ]
            for (number, spoil) in spoilers.enumerated() {
                let good = page.page.withLock(\.self)
                page.change(spoil)
                clock.advance(301)
                guard case .kept = await refresher.refreshIfDue() else {
                    Issue.record("spoiler \(number) was taken")
                    continue
                }
                #expect(await code(refresher, token) == nil, "\(number)")
                page.change { page in
                    let requests = page.requests
                    page = good
                    page.requests = requests
                }
            }
            clock.advance(301)
            #expect(await refresher.refreshIfDue() == .refreshed)
            await refresher.close()
        }
    }

    @Test("An attacker's unknown keys cannot make anybody hammer the issuer")
    func unknownKeys() async throws {
        let forge = try TokenForge(), clock = Clock(), page = ScriptedIssuer()
        page.change { $0.keySet = Self.keys(forge) }
        try await page.run { base in
            let refresher = try refresher(forge, base, clock)
            #expect(await refresher.refreshIfDue() == .refreshed && page.requests == 1)
            let tokens = try (0..<200).map { _ in
                let alien = try TokenForge()
                return try alien.signingKey.mint(alien.result(issuedAt: clock.now))
            }
            await withTaskGroup(of: Void.self) { group in
                for token in tokens {
                    group.addTask { #expect(await code(refresher, token) == .unknownKey) }
                }
            }
            #expect(page.requests == 2)
            clock.advance(59)
            for token in tokens.prefix(20) { _ = await code(refresher, token) }
            #expect(page.requests == 2)
            clock.advance(1)
            for token in tokens.prefix(20) { _ = await code(refresher, token) }
            #expect(page.requests == 3)
            await refresher.close()
        }
    }

    @Test("Keys rotate under load without one refused valid passport, also where the next key was not published ahead")
    func rotation() async throws {
        let old = try TokenForge(), new = try TokenForge(), clock = Clock(), page = ScriptedIssuer()
        page.change { $0.keySet = Self.keys(old) }
        try await page.run { base in
            let refresher = try refresher(old, base, clock)
            #expect(await refresher.refreshIfDue() == .refreshed)
            page.change { $0.keySet = Self.keys(old, new) }
            let stage = Rotation(old)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while let forge = stage.signer.withLock(\.self) {
                            guard let token = try? forge.signingKey.mint(forge.result(issuedAt: clock.now)) else {
                                break
                            }
                            #expect(await code(refresher, token) == nil)
                            // The service under test needs the threads too.
                            try? await Task.sleep(for: .milliseconds(1))
                        }
                    }
                }
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(200))
                    stage.signer.withLock { $0 = new }
                    try? await Task.sleep(for: .milliseconds(300))
                    stage.signer.withLock { $0 = nil }
                }
            }
            #expect(page.requests == 2)
            // And when the old key is gone, what it signed is refused, remembered or not.
            let token = try old.signingKey.mint(old.result(issuedAt: clock.now))
            #expect(await code(refresher, token) == nil)
            page.change { $0.keySet = Self.keys(new) }
            clock.advance(61)
            #expect(await refresher.refreshIfDue() == .refreshed)
            #expect(await code(refresher, token) == .unknownKey)
            await refresher.close()
        }
    }

    @Test("A passport that is remembered is refused after the refresh that brings its withdrawal")
    func withdrawal() async throws {
        let forge = try TokenForge(), clock = Clock(), page = ScriptedIssuer()
        let name = Self.issuer + "/status-lists/1", good = try forge.statusList(name, issuedAt: Self.start)
        page.change { page in
            page.keySet = Self.keys(forge)
            page.lists = ["1": good]
        }
        try await page.run { base in
            let refresher = try refresher(forge, base, clock)
            #expect(await refresher.refreshIfDue() == .refreshed)
            let token = try forge.signingKey.mint(
                forge.result(issuedAt: clock.now, statusReference: StatusReference(uri: name, index: 5)))
            for _ in 0..<2 { #expect(await code(refresher, token) == nil) }
            clock.advance(61)
            let bad = try forge.statusList(name, issuedAt: clock.now, [5: .invalid])
            page.change { $0.lists = ["1": bad] }
            #expect(await refresher.refreshIfDue() == .refreshed)
            #expect(await code(refresher, token) == .revoked)
            // An older list does not come back.
            clock.advance(61)
            page.change { $0.lists = ["1": good] }
            _ = await refresher.refreshIfDue()
            #expect(await code(refresher, token) == .revoked)
            await refresher.close()
        }
    }

    @Test("Bundles are followed from one to the next, and never back")
    func bundles() async throws {
        let forge = try TokenForge(), other = try TokenForge(), clock = Clock(), page = ScriptedIssuer()
        let root = try SigningKey(.generate())
        func content(_ forge: TokenForge) throws -> BundleContent {
            BundleContent(
                issuedAt: clock.now, expiresAt: clock.now + 86_400, grace: 0,
                issuers: [BundledIssuer(name: Self.issuer, currentKeys: try JSONWebKeySet(parsing: forge.keySet))])
        }
        let one = try root.sign(content(forge), named: "urn:b")
        let two = try root.sign(content(other), following: UnverifiedBundle(parsing: one))
        let first = try TrustBundle(parsing: one, trusting: BundleTrust(rootKey: root.keyID), at: clock.now)
        page.change { $0.keySet = two + [0x0A] }
        try await page.run { base in
            let refresher = TrustRefresher(
                try PassportVerifier(bundle: first, audience: Self.audience),
                from: try .bundle(at: base + "/bundle", trusting: first.trust, allowsPlainHTTP: true),
                now: { clock.now })
            #expect(await refresher.refreshIfDue() == .refreshed && refresher.trust?.last?.sequence == 2)
            let token = try other.signingKey.mint(other.result(issuedAt: clock.now, lifetime: 3600))
            #expect(await code(refresher, token) == nil)
            page.change { $0.keySet = one }
            clock.advance(3600)
            let outcome = await refresher.refreshIfDue()
            #expect(outcome != .refreshed && outcome != .notDue)
            #expect(refresher.trust?.last?.sequence == 2)
            await refresher.close()
        }
    }

    @Test("A real verifier: its keys and its status lists")
    func realVerifier() async throws {
        let verifier = try VerifierUnderTest(), stranger = try TokenForge()
        try await verifier.run { client in
            let before = try PassportVerifier(
                keySet: stranger.keySet,
                expectations: Expectations(issuer: VerifierUnderTest.issuer, audience: VerifierUnderTest.audience))
            let refresher = TrustRefresher(
                before, from: try .issuer(at: "http://127.0.0.1:\(client.port)", allowsPlainHTTP: true))
            #expect(await refresher.refreshIfDue() == .refreshed)
            let keys = try await JSONWebKeySet(parsing: client.call(.get, "/.well-known/jwks.json").body)
            #expect(refresher.state.withLockedValue { $0.keySet?.verificationKeys } == keys.verificationKeys)
            let token = try stranger.signingKey.mint(stranger.result(issuedAt: 1_800_000_000))
            #expect(await code(refresher, token) == .unknownKey)
            await refresher.close()
        }
    }
}
