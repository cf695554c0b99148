import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import StrictEncoding
import Testing

/// Passports of one forge that refer to `uri`, whose list says: 0 valid, 1 revoked, 2 suspended, 3 something else; 1024 entries.
@Suite("Revocation, offline")
struct RevocationTests {
    static let uri = "https://verifier.example/status-lists/1"
    static let now = Stage.now

    private func passport(_ stage: Stage, _ index: Int, uri: String = uri) throws -> [UInt8] {
        let reference = try #require(StatusReference(uri: uri, index: index))
        return try stage.forge.signingKey.mint(stage.forge.result(issuedAt: Self.now, statusReference: reference))
    }

    private func list(_ stage: Stage, issuedAt: Int64 = now, expiresAt: Int64? = now + 7200) throws -> [UInt8] {
        try stage.forge.statusList(
            Self.uri, issuedAt: issuedAt, expiresAt: expiresAt,
            [1: .invalid, 2: .suspended, 3: TokenStatus(rawValue: 3)])
    }

    private func lists(_ stage: Stage, _ tokens: [[UInt8]]) throws -> StatusLists {
        try StatusLists(tokens, keySet: JSONWebKeySet(parsing: stage.forge.keySet))
    }

    /// How checking a passport with these lists ends: `nil` when it is accepted.
    private func refusal(
        _ stage: Stage, _ index: Int, _ lists: StatusLists, uri: String = uri, at now: Int64 = now
    ) throws -> Refusal.Code? {
        let token = try passport(stage, index, uri: uri)
        do throws(Refusal) {
            _ = try stage.verifier.checking(lists).verify(token, at: now)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("A passport that its list calls valid is accepted, and says how long ago that was so")
    func valid() throws {
        let stage = try Stage(), lists = try lists(stage, [list(stage, issuedAt: Self.now - 42)])
        let verifier = stage.verifier.checking(lists)
        let result = try verifier.verify(passport(stage, 0), at: Self.now)
        #expect(result.revocation.secondsAgo == 42)
        let reference = try #require(StatusReference(uri: Self.uri, index: 0))
        #expect(result.revocation == .valid(reference, secondsAgo: 42))
        #expect(try verifier.verify(stage.good(), at: Self.now).revocation == .notRevocable)
    }

    @Test("Each status but valid is refused, each with its own code; so is an index that the list does not have")
    func statuses() throws {
        let stage = try Stage(), lists = try lists(stage, [list(stage)])
        #expect(try refusal(stage, 0, lists) == nil)
        #expect(try refusal(stage, 1, lists) == .revoked)
        #expect(try refusal(stage, 2, lists) == .suspended)
        #expect(try refusal(stage, 3, lists) == .revocation)
        #expect(try refusal(stage, 1023, lists) == nil)
        #expect(try refusal(stage, 1024, lists) == .revocation)
        #expect(try refusal(stage, StatusList.maximumCount - 1, lists) == .revocation)
    }

    @Test("Without its list, or with another, a passport is refused")
    func absent() throws {
        let stage = try Stage(), lists = try lists(stage, [list(stage)])
        #expect(try refusal(stage, 0, .none) == .statusUnknown)
        #expect(try refusal(stage, 0, lists, uri: Self.uri + "0") == .statusUnknown)
        #expect(try refusal(stage, 0, lists, uri: "HTTPS://verifier.example/status-lists/1") == .statusUnknown)
    }

    @Test("Time travel: a list counts from when it was made until it is stale or ends, to the second")
    func times() throws {
        let stage = try Stage { $0.maximumLifetime = 3600 }
        func code(_ issuedAt: Int64, _ expiresAt: Int64? = nil, at now: Int64 = Self.now) throws -> Refusal.Code? {
            try refusal(stage, 0, lists(stage, [list(stage, issuedAt: issuedAt, expiresAt: expiresAt)]), at: now)
        }
        #expect(try code(Self.now - 300) == nil)
        #expect(try code(Self.now - 301) == .statusStale)
        #expect(try code(Self.now + 30) == nil)
        #expect(try code(Self.now + 31) == .revocation)
        #expect(try code(Self.now - 200, Self.now - 29) == nil)
        #expect(try code(Self.now - 200, Self.now - 30) == .statusExpired)
        // A list that was made before the passport: it is no older than the relying party allows, and has the passport's index.
        #expect(try code(Self.now - 299, at: Self.now) == nil)
        // A passport that has expired stays expired, whatever the list says.
        #expect(try code(Self.now + 330, at: Self.now + 330) == .expired)
        #expect(try refusal(stage, 1, lists(stage, [list(stage)]), at: Self.now + 400) == .expired)
    }

    @Test("How stale a list may be is the relying party's choice, between nothing and a day")
    func staleness() throws {
        func code(_ staleness: Int64, age: Int64) throws -> Refusal.Code? {
            let stage = try Stage { $0.revocation = .checked(maximumStaleness: staleness) }
            return try refusal(stage, 0, lists(stage, [list(stage, issuedAt: Self.now - age, expiresAt: nil)]))
        }
        #expect(try code(0, age: 0) == nil)
        #expect(try code(0, age: 1) == .statusStale)
        #expect(try code(-5, age: 0) == nil)
        #expect(try code(3600, age: 3600) == nil)
        #expect(try code(.max, age: 86_400) == nil)
        #expect(try code(.max, age: 86_401) == .statusStale)
    }

    @Test(
        "Not to check is said where it is chosen, and in every result; to require a status refuses passports without one"
    )
    func expectations() throws {
        let careless = try Stage { $0.revocation = .notChecked }
        let result = try careless.verifier.checking(lists(careless, [list(careless)]))
            .verify(passport(careless, 1), at: Self.now)
        #expect(result.revocation == .notChecked && result.revocation.secondsAgo == nil)
        let strict = try Stage { $0.revocation = .checked(requiresStatus: true) }
        #expect(strict.refusal(try strict.good()) == .revocation)
        #expect(try refusal(strict, 0, lists(strict, [list(strict)])) == nil)
    }

    @Test(
        "A claim that is no reference, or another mechanism, is refused: nobody else looks at it",
        arguments: [
            #""status":1"#, #""status":null"#, #""status":{}"#, #""status":[]"#, #""status":{"status_list":1}"#,
            #""status":{"status_list":{}}"#, #""status":{"status_list":{"idx":0}}"#,
            #""status":{"status_list":{"uri":"\#(uri)"}}"#, #""status":{"status_list":{"idx":-1,"uri":"\#(uri)"}}"#,
            #""status":{"status_list":{"idx":0.0,"uri":"\#(uri)"}}"#,
            #""status":{"status_list":{"idx":"0","uri":"\#(uri)"}}"#,
            #""status":{"status_list":{"idx":16777216,"uri":"\#(uri)"}}"#,
            #""status":{"status_list":{"idx":0,"uri":""}}"#, #""status":{"status_list":{"idx":0,"uri":["\#(uri)"]}}"#,
            #""status":{"identifier_list":{"idx":0,"uri":"\#(uri)"}}"#,
            #""status":{"status_list":{"idx":0,"uri":"\#(uri)"},"other":{}}"#,
        ])
    func claims(claim: String) throws {
        let stage = try Stage(), lists = try lists(stage, [list(stage)])
        let payload = try stage.payload().replacing(#""jti""#, with: claim + #","jti""#)
        let token = try stage.forge.token(payload: payload)
        #expect(throws: Refusal.self) { try stage.verifier.checking(lists).verify(token, at: Self.now) }
        #expect(stage.refusal(token) == .revocation)
    }

    @Test("The newest list of a name counts, in whatever order they come; a bad one changes nothing")
    func updates() throws {
        let stage = try Stage()
        let old = try stage.forge.statusList(Self.uri, issuedAt: Self.now - 10), new = try list(stage)
        #expect(try refusal(stage, 1, lists(stage, [old])) == nil)
        for order in [[old, new], [new, old], [new, new, old]] {
            #expect(try refusal(stage, 1, lists(stage, order)) == .revoked)
        }
        var lists = try lists(stage, [new])
        let isTaken = try lists.add(old)
        #expect(!isTaken && lists.held.map(\.issuedAt) == [Self.now])
        let foreign = try TokenForge().statusList(Self.uri, issuedAt: Self.now + 1)
        for bad in [foreign, Array(new.dropLast()), [], try stage.good()] {
            #expect(throws: StatusListError.self) { try lists.add(bad) }
        }
        #expect(throws: StatusListError(.claims, "")) { try lists.add(new, named: Self.uri + "2") }
        #expect(try refusal(stage, 1, lists) == .revoked)
        #expect(throws: StatusListError.self) { try self.lists(stage, [new, foreign]) }
        var none = StatusLists.none
        #expect(throws: StatusListError(.unknownKey, "")) { try none.add(new) }
    }

    @Test("Lists tell when to fetch them again, can be forgotten when they end, and are bounded in number")
    func housekeeping() throws {
        let stage = try Stage()
        var lists = try lists(stage, [list(stage, expiresAt: Self.now + 10)])
        let held = try #require(lists.held.first)
        #expect(held.uri == Self.uri && held.issuedAt == Self.now && held.expiresAt == Self.now + 10)
        #expect(held.refreshAt == Self.now + 60 && held.count == 1024)
        lists.removeExpired(at: Self.now + 9)
        #expect(lists.held.count == 1)
        lists.removeExpired(at: Self.now + 10)
        #expect(lists.held.isEmpty)
        for number in 0..<StatusLists.maximumListCount {
            try lists.add(stage.forge.statusList("urn:\(number)", issuedAt: Self.now, count: 8))
        }
        let more = try stage.forge.statusList("urn:more", issuedAt: Self.now, count: 8)
        #expect(throws: StatusListError(.tooLarge, "")) { try lists.add(more) }
        try lists.add(stage.forge.statusList("urn:7", issuedAt: Self.now + 1, count: 8))
    }

    @Test("A passport, a proof and a list are never taken for one another")
    func confusion() throws {
        let stage = try Stage(), keySet = try JSONWebKeySet(parsing: stage.forge.keySet)
        let list = try list(stage), passport = try stage.good()
        // As they are.
        #expect(stage.refusal(list) == .type)
        #expect(throws: StatusListError(.header, "")) { try StatusLists([passport], keySet: keySet) }
        // With the content of the one under the header of the other.
        let content = String(decoding: try CompactJWS(parsing: list).payload, as: UTF8.self)
        #expect(stage.refusal(try stage.forge.token(payload: content)) == .issuer)
        let claims = try stage.payload()
        #expect(throws: StatusListError(.claims, "")) {
            try StatusLists([stage.forge.token(header: stage.forge.statusListHeader, payload: claims)], keySet: keySet)
        }
        // A list where the holder's proof belongs, and a proof where a list belongs.
        let request = ProvenRequest(method: "GET", uri: "https://service.example/x")
        let result = try stage.verifier.verify(passport, at: Self.now)
        #expect(throws: Refusal.self) { try stage.verifier.prove(result, by: list, of: request, at: Self.now) }
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Self.now)
        #expect(throws: StatusListError(.header, "")) { try StatusLists([proof], keySet: keySet) }
    }
}
