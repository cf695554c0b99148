import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Testing

@Suite("The server's nonces in proofs")
struct ProofNonceTests {
    private let stage: Stage, passport: [UInt8], result: VerifiedResult
    private let request = ProvenRequest(method: "POST", uri: "https://service.example/secrets/1")
    private let key = [UInt8](repeating: 9, count: 32)

    init() throws {
        stage = try Stage()
        passport = try stage.good()
        result = try stage.verifier.verify(passport, at: Stage.now)
    }

    private func refusal(_ nonce: String?, _ nonces: ProofNonces, at now: Int64 = Stage.now) throws -> Refusal? {
        let proof = try stage.forge.proof(for: request, showing: passport, nonce: nonce, issuedAt: now)
        do throws(Refusal) {
            _ = try stage.verifier.prove(result, by: proof, of: request, nonces: nonces, at: now)
            return nil
        } catch {
            return error
        }
    }

    @Test("A nonce counts in its period and in the next, to the second, and in no other", arguments: [1, 7, 60])
    func windows(period: Int64) throws {
        let nonces = ProofNonces(period: period), start = Stage.now / period * period
        let nonce = nonces.current(at: start)
        #expect(nonce.utf8.count == 43 && nonces.current(at: start + period - 1) == nonce)
        #expect(nonces.current(at: start + period) != nonce)
        #expect(try refusal(nonce, nonces, at: start) == nil)
        #expect(try refusal(nonce, nonces, at: start + 2 * period - 1) == nil)
        #expect(try refusal(nonce, nonces, at: start + 2 * period)?.code == .proofNonce)
        #expect(try refusal(nonce, nonces, at: start - 1)?.code == .proofNonce)
    }

    @Test("A proof without a nonce, or with one that is old, foreign or spoiled, is refused, and told the fresh one")
    func refused() throws {
        let nonces = try ProofNonces(sharedKey: key), fresh = nonces.current(at: Stage.now)
        let others = try [ProofNonces(), ProofNonces(sharedKey: key + [1]), ProofNonces(sharedKey: key, period: 61)]
        let spoiled = [nil, "", "A", String(fresh.dropLast()), fresh + "A", fresh.lowercased(), fresh + "="]
        for nonce in spoiled + others.map({ $0.current(at: Stage.now) }) {
            let refusal = try #require(try refusal(nonce, nonces), "\(nonce ?? "none")")
            #expect(refusal.code == .proofNonce && refusal.freshNonce == fresh)
        }
        #expect(try refusal(fresh, nonces) == nil)
    }

    @Test("A refused nonce takes no place in the replay memory: the same proof may come with the right demand")
    func noPlace() throws {
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        #expect(throws: Refusal.self) {
            try stage.verifier.prove(result, by: proof, of: request, nonces: ProofNonces(), at: Stage.now)
        }
        #expect(throws: Never.self) { try stage.verifier.prove(result, by: proof, of: request, at: Stage.now) }
    }

    @Test("A nonce does not make a proof good twice, and other refusals bring no nonce")
    func once() throws {
        let nonces = ProofNonces()
        let proof = try stage.forge.proof(
            for: request, showing: passport, nonce: nonces.current(at: Stage.now), issuedAt: Stage.now)
        func prove() throws {
            _ = try stage.verifier.prove(result, by: proof, of: request, nonces: nonces, at: Stage.now)
        }
        try prove()
        let refusal = #expect(throws: Refusal.self) { try prove() }
        #expect(refusal?.code == .proofReplayed && refusal?.freshNonce == nil)
    }

    @Test("Replicas with one key accept one another's nonces; a short key is refused")
    func replicas() throws {
        let one = try ProofNonces(sharedKey: key), other = try ProofNonces(sharedKey: key)
        #expect(try refusal(one.current(at: Stage.now), other) == nil)
        #expect(throws: JOSEError.self) { try ProofNonces(sharedKey: Array(key.dropLast())) }
        #expect(ProofNonces(period: 0).period == 1 && ProofNonces(period: 1000).period == 600)
        for time in [Int64.min, -1, 0, .max] { #expect(one.current(at: time).utf8.count == 43) }
    }
}
