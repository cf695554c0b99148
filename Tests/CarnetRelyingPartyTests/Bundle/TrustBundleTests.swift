import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

@testable import CarnetRelyingParty

@Suite("Trust bundles")
struct TrustBundleTests {
    @Test("One import, one file, one call: a passport is checked with nothing else")
    func use() throws {
        let stage = try BundleStage()
        let bundle = try stage.open(stage.first())
        let verifier = try PassportVerifier(bundle: bundle, audience: Stage.audience)
        let token = try stage.forge.signingKey.mint(stage.forge.result(issuedAt: Stage.now))
        let result = try verifier.verify(token, at: Stage.now)
        #expect(result.bundle == .current && result.status == .affirming)
        #expect(bundle.sequence == 1 && bundle.name == BundleStage.name && bundle.freshness == .current)
        // Who signs bundles issues no passports.
        let alien = try TokenForge()
        #expect(throws: Refusal.self) {
            try verifier.verify(alien.signingKey.mint(alien.result(issuedAt: Stage.now)), at: Stage.now)
        }
    }

    @Test("Time travel: current until it expires, in grace and said so, refused after it, to the second")
    func times() throws {
        let stage = try BundleStage(), token = try stage.first(stage.content(lifetime: 100, grace: 50))
        let now = Stage.now
        #expect(try stage.fault(token, at: now - 61) == .notYetValid)
        #expect(try stage.open(token, at: now - 60).freshness == .current)
        #expect(try stage.open(token, at: now + 99).freshness == .current)
        #expect(try stage.open(token, at: now + 100).freshness == .inGrace(secondsLeft: 50))
        #expect(try stage.open(token, at: now + 149).freshness == .inGrace(secondsLeft: 1))
        #expect(try stage.fault(token, at: now + 150) == .expired)
        #expect(try stage.fault(token, at: .max) == .expired && stage.fault(token, at: .min) == .notYetValid)
        let none = try stage.first(stage.content(lifetime: 100, grace: 0))
        #expect(try stage.fault(none, at: now + 100) == .expired)
    }

    @Test("A verifier that lives on counts no longer than its bundle, remembered passports included")
    func longLife() throws {
        let stage = try BundleStage(), now = Stage.now
        let bundle = try stage.open(stage.first(stage.content(lifetime: 100, grace: 50)))
        for memory in [0, 32] {
            let verifier = try PassportVerifier(bundle: bundle, audience: Stage.audience, remembering: memory)
            let token = try stage.forge.signingKey.mint(stage.forge.result(issuedAt: now))
            #expect(try verifier.verify(token, at: now + 99).bundle == .current)
            #expect(try verifier.verify(token, at: now + 149).bundle == .inGrace(secondsLeft: 1))
            #expect(throws: Refusal(.bundleTime, "", nextStep: "")) { try verifier.verify(token, at: now + 150) }
            #expect(verifier.explain(token, at: now + 150).lacks.map(\.code) == ["bundle-time"])
            #expect(verifier.explain(token, at: now + 149).isAccepted)
        }
    }

    @Test("Next keys count like current ones, and lists are looked up")
    func content() throws {
        let stage = try BundleStage(), next = try TokenForge(), now = Stage.now, uri = "urn:list:1"
        let list = try next.statusList(uri, issuedAt: now, [1: .invalid])
        let content = BundleContent(
            issuedAt: now, expiresAt: now + 86_400, grace: 0,
            issuers: [
                BundledIssuer(
                    name: Stage.issuer, currentKeys: try JSONWebKeySet(parsing: stage.forge.keySet),
                    nextKeys: try JSONWebKeySet(parsing: next.keySet), statusLists: [list]),
                BundledIssuer(
                    name: "https://other.example", currentKeys: try JSONWebKeySet(parsing: TokenForge().keySet)),
            ])
        let bundle = try stage.open(stage.first(content))
        #expect(throws: BundleError(.expectations, "")) { try PassportVerifier(bundle: bundle, audience: "a") }
        #expect(throws: BundleError(.expectations, "")) {
            try PassportVerifier(bundle: bundle, audience: "a", issuer: "https://third.example")
        }
        let verifier = try PassportVerifier(bundle: bundle, audience: Stage.audience, issuer: Stage.issuer)
        for (forge, index, expected) in [(stage.forge, 0, nil), (next, 0, nil), (next, 1, Refusal.Code.revoked)] {
            let token = try forge.signingKey.mint(
                forge.result(issuedAt: now, statusReference: StatusReference(uri: uri, index: index)))
            let code: Refusal.Code?
            do throws(Refusal) {
                _ = try verifier.verify(token, at: now)
                code = nil
            } catch {
                code = error.code
            }
            #expect(code == expected)
        }
    }

    @Test("What is written is read back")
    func roundTrip() throws {
        let stage = try BundleStage()
        var minimum = MinimumPolicy()
        minimum.tier = .affirming
        minimum.depth = .eventLogAndIMA
        minimum.keyProtection = .tpmState
        minimum.policyIDs = ["tag:a", "tag:b@sha256:00"]
        minimum.policyDigests = [String(repeating: "ab", count: 32)]
        minimum.maximumAge = 120
        minimum.maximumStatusAge = 0
        let list = try stage.forge.statusList("urn:l", issuedAt: Stage.now)
        let content = try stage.content(lists: [list], minimum: minimum)
        let bundle = try stage.open(stage.first(content))
        #expect(bundle.minimum == minimum && bundle.issuers == content.issuers)
        #expect(bundle.issuedAt == content.issuedAt && bundle.expiresAt == content.expiresAt && bundle.grace == 3600)
        for trust in [bundle.trust, try stage.trust] { #expect(try BundleTrust(parsing: trust.bytes) == trust) }
    }

    @Test("The minimum policy only tightens, whatever the relying party asks for")
    func minimum() throws {
        var minimum = MinimumPolicy()
        minimum.tier = .warning
        minimum.depth = .eventLog
        minimum.keyProtection = .tpmState
        minimum.policyIDs = ["p", "q@sha256:1"]
        minimum.policyDigests = ["aa"]
        minimum.maximumAge = 100
        minimum.maximumStatusAge = 60
        let strict = Expectations(issuer: "i", audience: "a")
        let both = try strict.tightened(by: minimum)
        #expect(both.minimumTier == .affirming && both.minimumDepth == .eventLog && both.maximumAge == 100)
        #expect(both.minimumKeyProtection == .tpmState && both.policyIDs == ["p", "q@sha256:1"])
        #expect(both.policyDigests == ["aa"] && both.revocation == .checked(maximumStaleness: 60))
        var loose = strict
        loose.minimumTier = .none
        loose.minimumDepth = .eventLogAndIMA
        loose.minimumKeyProtection = .software
        loose.maximumAge = 50
        loose.policyIDs = ["p@sha256:7", "q", "r"]
        loose.requiredSubmodules = []
        loose.revocation = .notChecked
        let met = try loose.tightened(by: minimum)
        #expect(met.minimumTier == .warning && met.minimumDepth == .eventLogAndIMA && met.maximumAge == 50)
        #expect(met.policyIDs == ["p@sha256:7", "q@sha256:1"] && met.minimumKeyProtection == .tpmState)
        #expect(met.requiredSubmodules == ["tpm"] && met.revocation == .checked(maximumStaleness: 60))
        loose.revocation = .checked(maximumStaleness: 10, requiresStatus: true)
        #expect(try loose.tightened(by: minimum).revocation == .checked(maximumStaleness: 10, requiresStatus: true))
        loose.policyIDs = ["r", "pp", "p@sha256"]
        #expect(throws: BundleError(.expectations, "")) { try loose.tightened(by: minimum) }
        loose.policyIDs = []
        loose.policyDigests = ["bb"]
        #expect(throws: BundleError(.expectations, "")) { try loose.tightened(by: minimum) }
        #expect(try strict.tightened(by: MinimumPolicy()) == strict)
    }

    @Test("A relying party that forgets everything is still held to the bundle's minimum")
    func enforced() throws {
        let stage = try BundleStage()
        var minimum = MinimumPolicy()
        minimum.depth = .eventLogAndIMA
        let bundle = try stage.open(stage.first(stage.content(minimum: minimum)))
        let token = try stage.forge.signingKey.mint(stage.forge.result(issuedAt: Stage.now))
        let verifier = try PassportVerifier(bundle: bundle, audience: Stage.audience) {
            $0.requiredSubmodules = []
            $0.minimumDepth = .pcrs
            $0.issuer = "https://attacker.example"
        }
        #expect(verifier.expectations.issuer == Stage.issuer)
        #expect(throws: Refusal(.depth, "", nextStep: "")) { try verifier.verify(token, at: Stage.now) }
    }

    @Test("After the next bundle proofs stay remembered, and accepted passports of a key that is gone do not")
    func continuing() throws {
        let stage = try BundleStage(), other = try TokenForge(), now = Stage.now
        let first = try stage.first(), bundle = try stage.open(first)
        let verifier = try PassportVerifier(bundle: bundle, audience: Stage.audience, remembering: 32)
        let token = try stage.forge.signingKey.mint(stage.forge.result(issuedAt: now))
        let request = ProvenRequest(method: "GET", uri: "https://service.example/a")
        let proof = try stage.forge.proof(for: request, showing: token, issuedAt: now)
        let result = try verifier.verify(token, at: now)
        _ = try verifier.prove(result, by: proof, of: request, at: now)

        let same = try verifier.continuing(with: stage.open(stage.next(after: first, by: stage.root), bundle.trust))
        let again = try same.verify(token, at: now)
        #expect(throws: Refusal(.proofReplayed, "", nextStep: "")) {
            try same.prove(again, by: proof, of: request, at: now)
        }
        var content = try stage.content()
        content.issuers = [
            BundledIssuer(name: Stage.issuer, currentKeys: try JSONWebKeySet(parsing: other.keySet))
        ]
        let rotated = try verifier.continuing(
            with: stage.open(stage.next(after: first, by: stage.root, content), bundle.trust))
        #expect(throws: Refusal(.unknownKey, "", nextStep: "")) { try rotated.verify(token, at: now) }
    }

    @Test("A bundle whose signature was rewritten is the same bundle, not a fork")
    func rewrittenSignature() throws {
        let stage = try BundleStage(), token = try stage.first(), opened = try stage.open(token)
        let dot = try #require(token.lastIndex(of: UInt8(ascii: ".")))
        let signature = try #require(Base64URL.decode(token[(dot + 1)...]))
        // n - s is as good as s (SEC 1 §4.1.4); n is P-256's order.
        let order = try #require(Hexadecimal.decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"))
        var rest = [UInt8](repeating: 0, count: 32), borrow = 0
        for index in (0..<32).reversed() {
            let difference = Int(order[index]) - Int(signature[32 + index]) - borrow
            borrow = difference < 0 ? 1 : 0
            rest[index] = UInt8(truncatingIfNeeded: difference)
        }
        let other = token[...dot] + Base64URL.encode(Array(signature[..<32]) + rest).utf8
        #expect(Array(other) != token)
        #expect(try TrustBundle(parsing: Array(other), trusting: opened.trust, at: Stage.now).trust == opened.trust)
    }
}
