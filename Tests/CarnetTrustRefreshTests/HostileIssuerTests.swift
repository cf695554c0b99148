import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Foundation
import NIOConcurrencyHelpers
import ServiceHarness
import Synchronization
import Testing

@testable import CarnetTrustRefresh

/// What an issuer, or whoever stands before it, can do to a relying party that refreshes.
@Suite("A refresh that goes wrong", .timeLimit(.minutes(5)))
struct HostileIssuerTests {
    private static let issuer = RefresherTests.issuer, audience = RefresherTests.audience
    private let forge: TokenForge, clock = RefresherTests.Clock(), page = ScriptedIssuer()
    private let list = RefresherTests.issuer + "/status-lists/1"

    init() throws {
        forge = try TokenForge()
        let keys = forge.keySet
        page.change { $0.keySet = keys }
    }

    private func expectations(_ adjust: (inout Expectations) -> Void = { _ in }) -> Expectations {
        var expectations = Expectations(issuer: Self.issuer, audience: Self.audience)
        adjust(&expectations)
        return expectations
    }

    private func refresher(
        _ verifier: PassportVerifier, _ base: String, _ adjust: (inout RefreshLimits) -> Void = { _ in }
    ) throws -> TrustRefresher {
        var limits = RefreshLimits()
        adjust(&limits)
        return TrustRefresher(
            verifier, from: try .issuer(at: base, allowsPlainHTTP: true), limits: limits, now: { clock.now })
    }

    private func refusal(_ refresher: TrustRefresher, _ token: [UInt8]) async -> Refusal.Code? {
        do throws(Refusal) {
            _ = try await refresher.verify(token)
            return nil
        } catch {
            return error.code
        }
    }

    private func passport(_ index: Int? = nil, lifetime: Int64 = 3600) throws -> [UInt8] {
        let reference = index.flatMap { StatusReference(uri: list, index: $0) }
        return try forge.signingKey.mint(
            forge.result(issuedAt: clock.now, lifetime: lifetime, statusReference: reference))
    }

    @Test("A body that trickles ends the refresh in its time, and nobody waits longer, nor more than may")
    func trickle() async throws {
        let trickle = try TricklingServer()
        defer { trickle.stop() }
        let verifier = try PassportVerifier(keySet: forge.keySet, expectations: expectations())
        let refresher = try refresher(verifier, "http://127.0.0.1:\(trickle.port)") {
            $0.deadline = 2
            $0.maximumWaiters = 8
        }
        let alien = try TokenForge(), token = try alien.signingKey.mint(alien.result(issuedAt: clock.now))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<64 { group.addTask { #expect(await refusal(refresher, token) == .unknownKey) } }
        }
        guard case .kept(let reason)? = refresher.lastOutcome else {
            Issue.record("the refresh ended otherwise")
            return
        }
        // On a machine that stands still for a minute the client's own end comes first.
        #expect(reason.contains("2 seconds") || reason.contains("deadlineExceeded"), "\(reason)")
        #expect(refresher.state.withLockedValue { $0.waiters } == 0)
        clock.advance(301)
        guard case .kept = await refresher.refreshIfDue() else {
            Issue.record("there was no further refresh")
            return
        }
        #expect(await refusal(refresher, try passport()) == nil)
        await refresher.close()
    }

    @Test("The first passport waits for the first refresh, which brings its list")
    func first() async throws {
        let withdrawn = try forge.statusList(list, issuedAt: clock.now, [7: .invalid])
        page.change { $0.lists = ["1": withdrawn] }
        try await page.run { base in
            let refresher = try refresher(PassportVerifier(keySet: forge.keySet, expectations: expectations()), base)
            #expect(await refusal(refresher, try passport(3)) == nil)
            #expect(await refusal(refresher, try passport(7)) == .revoked)
            #expect(page.requests == 1)
            await refresher.close()
        }
    }

    @Test("An older list, or another of the same second, does not take a withdrawal back that was known before")
    func older() async throws {
        let token = try passport(5)
        let known = try forge.statusList(list, issuedAt: clock.now, [5: .invalid])
        let lists = try StatusLists([known], keySet: JSONWebKeySet(parsing: forge.keySet))
        let verifier = try PassportVerifier(keySet: forge.keySet, expectations: expectations()).checking(lists)
        for age in [30, 0] as [Int64] {
            let older = try forge.statusList(list, issuedAt: clock.now - age)
            page.change { $0.lists = ["1": older] }
            try await page.run { base in
                let refresher = try refresher(verifier, base)
                #expect(await refusal(refresher, token) == .revoked)
                #expect(await refresher.refreshIfDue() == .refreshed)
                #expect(await refusal(refresher, token) == .revoked, "\(age)")
                await refresher.close()
            }
        }
    }

    @Test("A list from the future is not taken, and one that was taken without a clock gives way")
    func future() throws {
        let keys = try JSONWebKeySet(parsing: forge.keySet)
        let future = try forge.statusList(list, issuedAt: clock.now + 100_000)
        let good = try forge.statusList(list, issuedAt: clock.now)
        var lists = try StatusLists(keySet: keys)
        let refused = #expect(throws: StatusListError.self) {
            var lists = lists
            try lists.add(future, at: clock.now)
        }
        #expect(refused?.code == .claims)
        let isTaken = try lists.add(future), isReplaced = try lists.add(good, at: clock.now)
        #expect(isTaken && isReplaced)
        #expect(lists.held.map(\.issuedAt) == [clock.now])
    }

    @Test("Keys that cannot be fetched again stop counting after a day, and count again when they can")
    func staleKeys() async throws {
        let keys = forge.keySet
        try await page.run { base in
            let refresher = try refresher(PassportVerifier(keySet: keys, expectations: expectations()), base)
            #expect(await refresher.refreshIfDue() == .refreshed)
            page.change { $0.fails = true }
            clock.advance(86_399)
            #expect(await refusal(refresher, try passport()) == nil)
            clock.advance(1)
            let token = try passport()
            #expect(await refusal(refresher, token) == .keysStale)
            #expect(refresher.verifier.explain(token, at: clock.now).lacks.map(\.code) == ["keys-stale"])
            page.change { $0.fails = false }
            clock.advance(301)
            #expect(await refusal(refresher, try passport()) == nil)
            await refresher.close()
        }
    }

    @Test("A clock that was ahead does not put refreshes off when it is right again")
    func clockAhead() {
        var schedule = RefreshSchedule(RefreshLimits())
        let now = RefresherTests.start
        let begins = schedule.begin(at: now + 31_536_000)
        schedule.succeeded(at: now + 31_536_000, keepingFor: 60)
        let beginsAgain = schedule.begin(at: now)
        #expect(begins && beginsAgain)
    }

    private func bundle(
        _ key: SigningKey, after last: [UInt8]? = nil, lists: [[UInt8]] = [], depth: AppraisalDepth? = nil
    ) throws -> [UInt8] {
        var minimum = MinimumPolicy()
        minimum.depth = depth
        let content = BundleContent(
            issuedAt: clock.now, expiresAt: clock.now + 86_400, grace: 0,
            issuers: [
                BundledIssuer(
                    name: Self.issuer, currentKeys: try JSONWebKeySet(parsing: forge.keySet), statusLists: lists)
            ], minimum: minimum)
        guard let last else { return try key.sign(content, named: "urn:b") }
        return try key.sign(content, following: UnverifiedBundle(parsing: last))
    }

    @Test("What a relying party demands by itself is demanded after the next bundle, too")
    func ownDemands() async throws {
        let root = try SigningKey(.generate()), token = try passport()
        let one = try bundle(root, depth: .pcrs), two = try bundle(root, after: one)
        let first = try TrustBundle(parsing: one, trusting: BundleTrust(rootKey: root.keyID), at: clock.now)
        let verifier = try PassportVerifier(bundle: first, audience: Self.audience) { $0.nodeLabels = ["rack": "4"] }
        let second = try TrustBundle(parsing: two, trusting: first.trust, at: clock.now)
        #expect(try verifier.continuing(with: second).explain(token, at: clock.now).lacks.map(\.code) == ["node-label"])
        page.change { $0.keySet = two }
        try await page.run { base in
            let refresher = TrustRefresher(
                verifier, from: try .bundle(at: base + "/bundle", trusting: first.trust, allowsPlainHTTP: true),
                now: { clock.now })
            #expect(await refusal(refresher, token) == .nodeLabel)
            #expect(await refresher.refreshIfDue() == .refreshed && refresher.trust?.last?.sequence == 2)
            #expect(await refusal(refresher, token) == .nodeLabel)
            await refresher.close()
        }
    }

    @Test(
        "A bundle that was remembered before a restart is applied, also after a refresh that failed, and is fetched as its lists age"
    )
    func restart() async throws {
        let root = try SigningKey(.generate()), token = try passport()
        let list = try forge.statusList(list, issuedAt: clock.now, timeToLive: 60)
        let one = try bundle(root, lists: [list], depth: .eventLogAndIMA)
        let known = try TrustBundle(parsing: one, trusting: BundleTrust(rootKey: root.keyID), at: clock.now)
        page.change { page in
            page.keySet = one
            page.fails = true
        }
        let verifier = try PassportVerifier(keySet: forge.keySet, expectations: expectations())
        try await page.run { base in
            let source = try TrustSource.bundle(at: base + "/none", trusting: known.trust, allowsPlainHTTP: true)
            let failing = TrustRefresher(verifier, from: source, now: { clock.now })
            guard case .kept = await failing.refreshIfDue() else {
                Issue.record("a bundle was found where there is none")
                return
            }
            await failing.close()
            let refresher = TrustRefresher(
                verifier, from: try .bundle(at: base + "/bundle", trusting: known.trust, allowsPlainHTTP: true),
                now: { clock.now })
            // As a failed fetch leaves it.
            refresher.state.withLockedValue { $0.lastOutcome = .kept(reason: "no network") }
            #expect(await refresher.refreshIfDue() == .refreshed)
            #expect(await refusal(refresher, token) == .depth)
            clock.advance(59)
            let early = await refresher.refreshIfDue()
            #expect(early == .notDue, "\(early)")
            clock.advance(1)
            #expect(await refresher.refreshIfDue() == .refreshed)
            await refresher.close()
        }
    }

    @Test("A list that is newer than the next bundle's stays")
    func newerThanBundle() throws {
        let root = try SigningKey(.generate()), token = try passport(5)
        let withdrawn = try forge.statusList(list, issuedAt: clock.now, [5: .invalid])
        let older = try forge.statusList(list, issuedAt: clock.now - 60)
        let one = try bundle(root, lists: [withdrawn]), two = try bundle(root, after: one, lists: [older])
        let first = try TrustBundle(parsing: one, trusting: BundleTrust(rootKey: root.keyID), at: clock.now)
        let second = try TrustBundle(parsing: two, trusting: first.trust, at: clock.now)
        let verifier = try PassportVerifier(bundle: first, audience: Self.audience)
        for verifier in [verifier, try verifier.continuing(with: second)] {
            #expect(verifier.explain(token, at: clock.now).lacks.map(\.code) == ["revoked"])
        }
    }
}

/// A server that answers with a head at once, and then with one byte a fifth of a second, for ever.
private final class TricklingServer: Sendable {
    let port: Int
    private let descriptor: CInt
    private let isStopped = Mutex(false)

    init() throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isListening else { throw CocoaError(.fileReadUnknown) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in serve() }
    }

    private func serve() {
        while true {
            let peer = accept(descriptor, nil, nil)
            guard peer >= 0 else { return }
            Thread.detachNewThread { [self] in
                // An answer that comes before its request is another fault.
                var request = [UInt8](repeating: 0, count: 4096)
                guard recv(peer, &request, request.count, 0) > 0 else { return }
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
                guard send(peer, head, head.utf8.count, CInt(MSG_NOSIGNAL)) > 0 else { return }
                while !isStopped.withLock(\.self), send(peer, " ", 1, CInt(MSG_NOSIGNAL)) == 1 { usleep(200_000) }
                close(peer)
            }
        }
    }

    func stop() {
        isStopped.withLock { $0 = true }
        shutdown(descriptor, CInt(SHUT_RDWR))
        close(descriptor)
    }
}
