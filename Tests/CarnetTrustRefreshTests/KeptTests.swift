import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import ServiceHarness
import Synchronization
import Testing

@testable import CarnetTrustRefresh

/// What was fetched, kept over a restart, and taken again by a service whose issuer is away.
@Suite("Kept over a restart", .timeLimit(.minutes(5)))
struct KeptTests {
    private let forge: TokenForge, clock = RefresherTests.Clock(), page = ScriptedIssuer()
    private let list = RefresherTests.issuer + "/status-lists/1"

    init() throws {
        forge = try TokenForge()
        let keys = forge.keySet, list = try forge.statusList(list, issuedAt: clock.now, [7: .invalid])
        page.change { page in
            page.keySet = keys
            page.lists = ["1": list]
        }
    }

    /// A refresher that knows no key yet.
    private func refresher(
        _ base: String = "http://127.0.0.1:9", issuer: String = RefresherTests.issuer
    ) throws -> TrustRefresher {
        let verifier = try PassportVerifier(
            keySet: JSONWebKeySet([:]),
            expectations: Expectations(issuer: issuer, audience: RefresherTests.audience))
        return TrustRefresher(verifier, from: try .issuer(at: base, allowsPlainHTTP: true), now: { clock.now })
    }

    /// What a refresher that fetched everything hands out, once for each time that it fetched.
    private func kept() async throws -> KeptTrust {
        let handed = Mutex<[KeptTrust]>([])
        try await page.run { base in
            let refresher = try refresher(base)
            refresher.keeping { trust in handed.withLock { $0.append(trust) } }
            #expect(await refresher.refreshIfDue() == .refreshed)
            await refresher.close()
        }
        let all = handed.withLock(\.self)
        #expect(all.count == 1)
        return try #require(all.first)
    }

    private func code(_ refresher: TrustRefresher, _ index: Int?) async throws -> Refusal.Code? {
        let reference = index.flatMap { StatusReference(uri: list, index: $0) }
        let token = try forge.signingKey.mint(
            forge.result(issuedAt: clock.now, lifetime: 3600, statusReference: reference))
        do throws(Refusal) {
            _ = try await refresher.verify(token)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("What was kept counts as it did, comes back from its bytes, and is handed out with what was fetched only")
    func roundTrip() async throws {
        let kept = try await kept()
        #expect(try KeptTrust(parsing: kept.bytes) == kept)
        #expect(kept.issuer == RefresherTests.issuer && kept.fetchedAt == clock.now)
        let refresher = try refresher()
        let handed = Mutex(0)
        refresher.keeping { _ in handed.withLock { $0 += 1 } }
        #expect(try await code(refresher, 3) == .unknownKey)
        try refresher.take(KeptTrust(parsing: kept.bytes))
        #expect(try await code(refresher, 3) == nil)
        #expect(try await code(refresher, 7) == .revoked)
        let count = handed.withLock(\.self)
        #expect(count == 0)
        await refresher.close()
    }

    @Test("Keys count for a day from when they were fetched, to the second, and not for longer by being taken")
    func age() async throws {
        let kept = try await kept()
        clock.advance(86_399)
        let refresher = try refresher()
        try refresher.take(kept)
        #expect(try await code(refresher, nil) == nil)
        clock.advance(1)
        #expect(try await code(refresher, nil) == .keysStale)
        #expect(throws: KeptTrust.Unusable.self) { try refresher.take(kept) }
        await refresher.close()
    }

    @Test("What is dated ahead, another issuer's, or signed by nobody known is not taken, and all stays as it was")
    func refused() async throws {
        let kept = try await kept(), refresher = try refresher(), stranger = try TokenForge()
        let strange = try stranger.statusList(list, issuedAt: clock.now)
        let bad = [
            KeptTrust(issuer: kept.issuer, fetchedAt: clock.now + 61, keySet: kept.keySet, statusLists: [:]),
            KeptTrust(issuer: "https://other.example", fetchedAt: clock.now, keySet: kept.keySet, statusLists: [:]),
            KeptTrust(issuer: kept.issuer, fetchedAt: clock.now, keySet: [], statusLists: [:]),
            KeptTrust(issuer: kept.issuer, fetchedAt: clock.now, keySet: kept.keySet, statusLists: [list: strange]),
            KeptTrust(
                issuer: kept.issuer, fetchedAt: clock.now, keySet: kept.keySet,
                statusLists: [list + "0": kept.statusLists[list] ?? []]),
        ]
        for trust in bad { #expect(throws: KeptTrust.Unusable.self) { try refresher.take(trust) } }
        #expect(try await code(refresher, 3) == .unknownKey)
        let other = try self.refresher(issuer: "https://other.example")
        #expect(throws: KeptTrust.Unusable.self) { try other.take(kept) }
        for refresher in [refresher, other] { await refresher.close() }
    }

    @Test("Keys and lists that this run fetched are not replaced by what an earlier one kept") func newer() async throws
    {
        let kept = try await kept(), withdrawn = try forge.statusList(list, issuedAt: clock.now + 5, [3: .invalid])
        page.change { $0.lists = ["1": withdrawn] }
        clock.advance(5)
        let later = try TokenForge().keySet
        try await page.run { base in
            let refresher = try refresher(base)
            #expect(await refresher.refreshIfDue() == .refreshed)
            try refresher.take(kept)
            #expect(try await code(refresher, 3) == .revoked)
            page.change { page in
                page.keySet = later
                page.lists = [:]
            }
            clock.advance(3600)
            #expect(await refresher.refreshIfDue() == .refreshed)
            try refresher.take(kept)
            #expect(try await code(refresher, nil) == .unknownKey)
            await refresher.close()
        }
    }

    @Test("A refresh whose lists do not come keeps the lists at hand, and hands them out with the new keys")
    func halfARefresh() async throws {
        let kept = try await kept(), handed = Mutex<[KeptTrust]>([])
        page.change { $0.names = Array("{".utf8) }
        clock.advance(60)
        try await page.run { base in
            let refresher = try refresher(base)
            refresher.keeping { trust in handed.withLock { $0.append(trust) } }
            try refresher.take(kept)
            _ = await refresher.refreshIfDue()
            #expect(try await code(refresher, 7) == .revoked)
            await refresher.close()
        }
        let all = handed.withLock(\.self), last = try #require(all.last)
        #expect(last.statusLists == kept.statusLists && last.fetchedAt == clock.now)
    }

    @Test("Bytes that were cut, lengthened, or say anything that is not written are not read") func texts() async throws
    {
        let kept = try await kept(), good = String(decoding: kept.bytes, as: UTF8.self)
        for count in 0..<kept.bytes.count {
            #expect(throws: KeptTrust.Unusable.self) { try KeptTrust(parsing: Array(kept.bytes.prefix(count))) }
        }
        let spoilt = [
            good + " x", good + good, "[]", "null", "\u{FEFF}" + good,
            good.replacing("\"ver\":1", with: "\"ver\":2"), good.replacing("\"ver\":1", with: "\"ver\":\"1\""),
            good.replacing("\"ver\":1", with: "\"ver\":1,\"ver\":1"),
            good.replacing("\"ver\":1", with: "\"ver\":1,\"more\":1"), good.replacing("\"ver\":1,", with: ""),
            good.replacing("\"issuer\":\"", with: "\"issuer\":\"\",\"was\":\""),
            good.replacing("\"issuer\":\"\(kept.issuer)\"", with: "\"issuer\":\"\""),
            good.replacing("\"fetched_at\":", with: "\"fetched_at\":-"),
            good.replacing("\"fetched_at\":", with: "\"fetched_at\":99999"),
            good.replacing("\"keys\":\"", with: "\"keys\":\"="),
            good.replacing("\"status_lists\":{", with: "\"status_lists\":{\"a\":1,"),
            good.replacing("\"status_lists\":{", with: "\"status_lists\":{\"a\":{},"),
        ]
        for text in spoilt {
            #expect(text != good)
            #expect(throws: KeptTrust.Unusable.self, "\(text.prefix(60))") { try KeptTrust(parsing: Array(text.utf8)) }
        }
        let many = (0...256).map { "\"\($0)\":\"\"" }.joined(separator: ",")
        let crowd = "{\"ver\":1,\"issuer\":\"i\",\"fetched_at\":0,\"keys\":\"\",\"status_lists\":{\(many)}}"
        #expect(throws: KeptTrust.Unusable.self) { try KeptTrust(parsing: Array(crowd.utf8)) }
        #expect(try KeptTrust(parsing: Array(crowd.replacing(",\"256\":\"\"", with: "").utf8)).statusLists.count == 256)
        let long = [UInt8](repeating: 0x20, count: KeptTrust.maximumByteCount + 1)
        #expect(throws: KeptTrust.Unusable.self) { try KeptTrust(parsing: long) }
    }
}
