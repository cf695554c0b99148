import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Testing

/// A relying party whose lists come seldom: what a list says against a passport counts, and what none says is told.
@Suite("Revocation where listed")
struct WhereListedTests {
    static let uri = "https://verifier.example/status-lists/1"
    static let now = Stage.now

    private func passport(_ stage: Stage, _ index: Int, uri: String = uri) throws -> [UInt8] {
        let reference = try #require(StatusReference(uri: uri, index: index))
        return try stage.forge.signingKey.mint(stage.forge.result(issuedAt: Self.now, statusReference: reference))
    }

    private func lists(_ stage: Stage, issuedAt: Int64, expiresAt: Int64? = nil) throws -> StatusLists {
        let list = try stage.forge.statusList(
            Self.uri, issuedAt: issuedAt, expiresAt: expiresAt,
            [1: .invalid, 2: .suspended, 3: TokenStatus(rawValue: 3)])
        return try StatusLists([list], keySet: JSONWebKeySet(parsing: stage.forge.keySet))
    }

    private func refusal(_ verifier: PassportVerifier, _ token: [UInt8]) -> Refusal.Code? {
        do throws(Refusal) {
            _ = try verifier.verify(token, at: Self.now)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("A list that counts is decisive, as where it must be at hand")
    func fresh() throws {
        let stage = try Stage { $0.revocation = .whereListed() }
        let verifier = stage.verifier.checking(try lists(stage, issuedAt: Self.now - 300))
        let result = try verifier.verify(passport(stage, 0), at: Self.now)
        #expect(result.revocation.secondsAgo == 300)
        let codes = try (1...3).map { refusal(verifier, try passport(stage, $0)) }
        #expect(codes == [.revoked, .suspended, .revocation])
        #expect(try refusal(verifier, passport(stage, 1024)) == .revocation)
        #expect(try verifier.verify(stage.good(), at: Self.now).revocation == .notRevocable)
        // A list from the future is a clock that is wrong, and not a gap.
        let early = stage.verifier.checking(try lists(stage, issuedAt: Self.now + 31))
        #expect(try refusal(early, passport(stage, 0)) == .revocation)
    }

    @Test("What no list that counts speaks of is accepted, and the result says why nothing is known")
    func gaps() throws {
        let stage = try Stage { $0.revocation = .whereListed(maximumStaleness: 60) }
        let reference = try #require(StatusReference(uri: Self.uri, index: 0))
        func found(_ lists: StatusLists) throws -> RevocationCheck {
            try stage.verifier.checking(lists).verify(passport(stage, 0), at: Self.now).revocation
        }
        #expect(try found(.none) == .unknown(reference, .notHeld))
        #expect(try found(lists(stage, issuedAt: Self.now - 61)) == .unknown(reference, .stale(secondsAgo: 61)))
        let ended = try lists(stage, issuedAt: Self.now - 40, expiresAt: Self.now - 30)
        #expect(try found(ended) == .unknown(reference, .expired(secondsAgo: 30)))
        #expect(try found(.none).secondsAgo == nil && found(ended).secondsAgo == nil)
        let day = try Stage { $0.revocation = .whereListed(maximumStaleness: .max) }
        let old = day.verifier.checking(try lists(day, issuedAt: Self.now - 86_401))
        let check = try old.verify(passport(day, 0), at: Self.now).revocation
        #expect(check == .unknown(reference, .stale(secondsAgo: 86_401)))
    }

    @Test("Age takes no withdrawal back: what an old list says against a passport refuses it", arguments: [1, 2, 3])
    func withdrawn(index: Int) throws {
        let stage = try Stage { $0.revocation = .whereListed() }, week: Int64 = 604_800
        for lists in [
            try lists(stage, issuedAt: Self.now - week),
            try lists(stage, issuedAt: Self.now - week, expiresAt: Self.now - week + 1),
        ] {
            #expect(try refusal(stage.verifier.checking(lists), passport(stage, index)) != nil)
            #expect(try refusal(stage.verifier.checking(lists), passport(stage, 0)) == nil)
        }
    }

    @Test("A remembered passport is looked up again at each use")
    func remembered() throws {
        let stage = try Stage()
        var expectations = Expectations(issuer: Stage.issuer, audience: Stage.audience)
        expectations.revocation = .whereListed()
        let verifier = try PassportVerifier(keySet: stage.forge.keySet, expectations: expectations, remembering: 32)
        let token = try passport(stage, 1)
        let reference = try #require(StatusReference(uri: Self.uri, index: 1))
        for _ in 0..<2 {
            #expect(try verifier.verify(token, at: Self.now).revocation == .unknown(reference, .notHeld))
        }
        let informed = verifier.checking(try lists(stage, issuedAt: Self.now))
        #expect(refusal(informed, token) == .revoked)
        #expect(verifier.explain(token, at: Self.now).isAccepted && !informed.explain(token, at: Self.now).isAccepted)
    }

    @Test("A bundle's minimum policy forbids it, and refusals under a bundle send for a bundle")
    func bundles() throws {
        let stage = try BundleStage(), now = Self.now
        var minimum = MinimumPolicy()
        minimum.maximumStatusAge = 600
        let reference = try #require(StatusReference(uri: Self.uri, index: 0))
        let token = try stage.forge.signingKey.mint(stage.forge.result(issuedAt: now, statusReference: reference))
        let strict = try stage.open(stage.first(stage.content(minimum: minimum)))
        let verifier = try PassportVerifier(bundle: strict, audience: Stage.audience) {
            $0.revocation = .whereListed(maximumStaleness: 900)
        }
        #expect(verifier.expectations.revocation == .checked(maximumStaleness: 600))
        #expect(refusal(verifier, token) == .statusUnknown)
        let old = try stage.forge.statusList(Self.uri, issuedAt: now - 601)
        for lists in [[], [old]] {
            let bundle = try stage.open(stage.first(stage.content(lists: lists)))
            let verifier = try PassportVerifier(bundle: bundle, audience: Stage.audience)
            do throws(Refusal) {
                _ = try verifier.verify(token, at: now)
                Issue.record("accepted")
            } catch {
                #expect(error.nextStep.contains("newer bundle") && !error.nextStep.contains("etch"), "\(error)")
            }
            let free = try PassportVerifier(bundle: bundle, audience: Stage.audience) { $0.revocation = .whereListed() }
            #expect(try free.verify(token, at: now).revocation.secondsAgo == nil)
        }
    }
}
