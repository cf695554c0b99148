import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Synchronization
import Testing

@testable import CarnetRelyingParty

@Suite("Remembered results")
struct ResultsCacheTests {
    private func verifier(
        _ forge: TokenForge, _ count: Int = 64, _ adjust: (inout Expectations) -> Void = { _ in }
    ) throws -> PassportVerifier {
        var expectations = Expectations(issuer: Stage.issuer, audience: Stage.audience)
        adjust(&expectations)
        return try PassportVerifier(keySet: forge.keySet, expectations: expectations, remembering: count)
    }

    private func refusal(_ verifier: PassportVerifier, _ token: [UInt8], _ now: Int64) -> Refusal.Code? {
        do throws(Refusal) {
            _ = try verifier.verify(token, at: now)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("A passport that is seen again gives the same result")
    func again() throws {
        let forge = try TokenForge(), verifier = try verifier(forge)
        let token = try forge.signingKey.mint(forge.result(issuedAt: Stage.now))
        let first = try verifier.verify(token, at: Stage.now), second = try verifier.verify(token, at: Stage.now + 1)
        #expect(verifier.results?.result(of: TokenDigest(of: token))?.tokenID == first.tokenID)
        #expect(first.tokenID == second.tokenID && first.keyThumbprint == second.keyThumbprint)
        #expect(first.tokenHash == second.tokenHash && second.expiresAt == Stage.now + 300)
    }

    @Test("Time is checked at every use, in both directions")
    func times() throws {
        let forge = try TokenForge()
        let verifier = try verifier(forge) { $0.maximumAge = 250 }
        let token = try forge.signingKey.mint(forge.result(issuedAt: Stage.now, lifetime: 260))
        for _ in 0..<2 {
            #expect(refusal(verifier, token, Stage.now - 31) == .notYetValid)
            #expect(refusal(verifier, token, Stage.now - 30) == nil)
            #expect(refusal(verifier, token, Stage.now + 280) == nil)
            #expect(refusal(verifier, token, Stage.now + 281) == .tooOld)
            #expect(refusal(verifier, token, Stage.now + 290) == .expired)
            #expect(refusal(verifier, token, Int64.max) == .expired && refusal(verifier, token, .min) == .notYetValid)
        }
    }

    @Test("Proof of possession is demanded of a remembered passport too")
    func proofs() throws {
        let forge = try TokenForge(), verifier = try verifier(forge)
        let token = try forge.signingKey.mint(forge.result(issuedAt: Stage.now))
        _ = try verifier.verify(token, at: Stage.now)
        let known = try verifier.verify(token, at: Stage.now)
        let request = ProvenRequest(method: "GET", uri: "https://service.example/a")
        let proof = try forge.proof(for: request, showing: token, issuedAt: Stage.now)
        #expect(throws: Never.self) { try verifier.prove(known, by: proof, of: request, at: Stage.now) }
        #expect(throws: Refusal.self) { try verifier.prove(known, by: proof, of: request, at: Stage.now) }
        let other = try forge.proof(for: request, showing: token, by: .generate(), issuedAt: Stage.now)
        #expect(throws: Refusal.self) { try verifier.prove(known, by: other, of: request, at: Stage.now) }
    }

    @Test("No single flipped bit of a remembered passport is taken for it")
    func everyBit() throws {
        let forge = try TokenForge(), verifier = try verifier(forge)
        let token = try forge.signingKey.mint(forge.result(issuedAt: Stage.now))
        _ = try verifier.verify(token, at: Stage.now)
        for bit in stride(from: 0, to: token.count * 8, by: 7) {
            var changed = token
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(refusal(verifier, changed, Stage.now) != nil, "bit \(bit)")
        }
        #expect(refusal(verifier, token + [0x2E], Stage.now) != nil)
        #expect(refusal(verifier, Array(token.dropLast()), Stage.now) != nil)
    }

    @Test("A refused token is never remembered")
    func refused() throws {
        let forge = try TokenForge(), verifier = try verifier(forge)
        let early = try forge.signingKey.mint(forge.result(issuedAt: Stage.now + 100))
        #expect(refusal(verifier, early, Stage.now) == .notYetValid)
        #expect(verifier.results?.result(of: TokenDigest(of: early)) == nil)
        #expect(refusal(verifier, early, Stage.now + 100) == nil)
        let bad = try forge.signingKey.mint(forge.result(issuedAt: Stage.now, status: .contraindicated))
        for _ in 0..<3 { #expect(refusal(verifier, bad, Stage.now) == .tier) }
        #expect(verifier.results?.result(of: TokenDigest(of: bad)) == nil)
    }

    @Test("Verifiers with other expectations share nothing")
    func separate() throws {
        let forge = try TokenForge()
        let lenient = try verifier(forge), strict = try verifier(forge) { $0.minimumDepth = .eventLogAndIMA }
        let token = try forge.signingKey.mint(forge.result(issuedAt: Stage.now))
        #expect(refusal(lenient, token, Stage.now) == nil && refusal(strict, token, Stage.now) == .depth)
        #expect(refusal(lenient, token, Stage.now) == nil && refusal(strict, token, Stage.now) == .depth)
    }

    @Test("A flood of valid passports stays within the bound, and displaces what expires first")
    func flood() throws {
        let forge = try TokenForge(), verifier = try verifier(forge, 1)
        let cache = ResultsCache(capacity: 1)
        #expect(cache.capacity == 32 && ResultsCache(capacity: 33).capacity == 64)
        #expect(ResultsCache(capacity: .max).capacity == 1 << 20)
        var digests: [TokenDigest] = []
        for number in 0..<300 {
            let token = try forge.signingKey.mint(
                forge.result(issuedAt: Stage.now, lifetime: Int64(100 + number)))
            let digest = TokenDigest(of: token)
            cache.keep(try verifier.verify(token, at: Stage.now), of: digest)
            #expect(cache.result(of: digest) != nil)
            digests.append(digest)
        }
        let kept = digests.indices.filter { cache.result(of: digests[$0]) != nil }
        #expect(kept.count == 32 && (kept.first ?? 0) > 150, "\(kept)")
    }

    @Test("Many threads see one verdict")
    func concurrency() async throws {
        let forge = try TokenForge(), verifier = try verifier(forge, 32)
        let tokens = try (0..<64).map { _ in try forge.signingKey.mint(forge.result(issuedAt: Stage.now)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<200 {
                        let token = tokens[(round * 7 + task) % tokens.count]
                        let result = try verifier.verify(token, at: Stage.now)
                        #expect(result.tokenHash == HashAlgorithm.sha256.hash(token))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("Keys rotate under load, with one verifier in use that is replaced, and no valid passport is refused")
    func rotation() async throws {
        let forges = try (0..<4).map { _ in try TokenForge() }
        func keys(_ some: ArraySlice<TokenForge>) -> JSONWebKeySet {
            JSONWebKeySet(
                Dictionary(uniqueKeysWithValues: some.map { ($0.signingKey.keyID, $0.signingKey.publicKey) }))
        }
        let expectations = Expectations(issuer: Stage.issuer, audience: Stage.audience)
        let stage = Rotation(
            try PassportVerifier(keySet: keys(forges[0...1]), expectations: expectations, remembering: 64))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var count = 0
                    while let signer = stage.signer {
                        // The verifier that is in use when the passport is shown; its key was published before it signed.
                        let token = try forges[signer].signingKey.mint(forges[signer].result(issuedAt: Stage.now))
                        for _ in 0..<3 { _ = try stage.verifier.verify(token, at: Stage.now) }
                        count += 1
                        await Task.yield()
                    }
                    return count
                }
            }
            for next in 1..<forges.count {
                try await Task.sleep(for: .milliseconds(40))
                stage.sign(with: next)
                // What the last signer made in this moment is still shown: its key stays until the next rotation.
                try await Task.sleep(for: .milliseconds(40))
                stage.replace(try stage.verifier.trusting(keys(forges[(next - 1)...min(next + 1, forges.count - 1)])))
            }
            stage.sign(with: nil)
            var counts: [Int] = []
            for try await count in group { counts.append(count) }
            #expect(counts.allSatisfy { $0 > 0 })
        }
        let gone = try forges[0].signingKey.mint(forges[0].result(issuedAt: Stage.now))
        #expect(refusal(stage.verifier, gone, Stage.now) == .unknownKey)
    }

    /// Who signs, and who checks: both change while they are used.
    private final class Rotation: Sendable {
        private let state: Mutex<(signer: Int?, verifier: PassportVerifier)>

        init(_ verifier: PassportVerifier) { state = Mutex((0, verifier)) }

        var signer: Int? { state.withLock { $0.signer } }
        var verifier: PassportVerifier { state.withLock { $0.verifier } }
        func sign(with signer: Int?) { state.withLock { $0.signer = signer } }
        func replace(_ verifier: PassportVerifier) { state.withLock { $0.verifier = verifier } }
    }
}
