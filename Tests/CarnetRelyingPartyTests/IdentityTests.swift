import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Testing

@Suite("Whose a passport is, whatever it is worth")
struct IdentityTests {
    @Test("An expired, contraindicated passport still says whose it was")
    func identity() throws {
        let stage = try Stage()
        let token = try stage.forge.signingKey.mint(
            stage.forge.result(issuedAt: Stage.now, status: .contraindicated, nodeLabels: ["role": "edge"]))
        #expect(stage.refusal(token) == .tier)
        for now in [Stage.now, Stage.now + 1_000_000] {
            let identity = try stage.verifier.identity(of: token, at: now)
            #expect(identity.status == .contraindicated && identity.nodeLabels == ["role": "edge"])
            #expect(identity.subject.hasPrefix("urn:carnet:node:") && identity.expiresAt == Stage.now + 300)
            #expect(identity.issuedAt == Stage.now && !identity.tokenID.isEmpty && identity.withdrawal == nil)
        }
    }

    @Test("What is no passport of this issuer for this audience says nothing")
    func refused() throws {
        let stage = try Stage(), other = try Stage()
        func refusal(_ token: [UInt8], at now: Int64 = Stage.now) -> Refusal.Code? {
            do throws(Refusal) {
                _ = try stage.verifier.identity(of: token, at: now)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(refusal(try stage.good()) == nil)
        #expect(refusal(try other.good()) == .unknownKey)
        #expect(refusal(try other.forge.token(header: stage.forge.header, payload: stage.payload())) == .signature)
        func spoiled(_ target: String, _ replacement: String) throws -> Refusal.Code? {
            refusal(try stage.forge.token(payload: stage.payload().replacing(target, with: replacement)))
        }
        #expect(try spoiled(Stage.audience, "https://other.example") == .audience)
        #expect(try spoiled(Stage.issuer, "https://other.example") == .issuer)
        #expect(try spoiled("ear#04", "ear#09") == .profile)
        #expect(refusal(try stage.good(), at: Stage.now - 31) == .notYetValid)
        #expect(refusal([UInt8](repeating: 0x41, count: 20_000)) == .tooLarge)
        let stale = stage.verifier.usable(until: Stage.now)
        #expect(throws: Refusal.self) { try stale.identity(of: stage.good(), at: Stage.now) }
    }

    @Test("A list that is held speaks against a passport, however old it is")
    func withdrawal() throws {
        let stage = try Stage(), uri = "https://verifier.example/status-lists/1"
        let token = try stage.forge.signingKey.mint(
            stage.forge.result(issuedAt: Stage.now, statusReference: StatusReference(uri: uri, index: 3)))
        let keySet = try JSONWebKeySet(parsing: stage.forge.keySet)
        func withdrawal(_ statuses: [Int: TokenStatus], age: Int64) throws -> Refusal.Code? {
            let lists = try StatusLists(
                [stage.forge.statusList(uri, issuedAt: Stage.now - age, expiresAt: Stage.now - age + 60, statuses)],
                keySet: keySet)
            return try stage.verifier.checking(lists).identity(of: token, at: Stage.now).withdrawal?.code
        }
        #expect(try withdrawal([3: .invalid], age: 0) == .revoked && withdrawal([3: .suspended], age: 0) == .suspended)
        #expect(try withdrawal([3: .invalid], age: 500_000) == .revoked)
        #expect(try withdrawal([4: .invalid], age: 0) == nil)
        #expect(try stage.verifier.identity(of: token, at: Stage.now).withdrawal == nil)
    }
}
