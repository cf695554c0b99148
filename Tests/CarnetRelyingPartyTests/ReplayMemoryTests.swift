@testable import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Testing

@Suite("The memory for proofs")
struct ReplayMemoryTests {
    private let stage: Stage
    private let request = ProvenRequest(method: "POST", uri: "https://service.example/secrets/1")

    init() throws { stage = try Stage { $0.maximumAge = 1 << 40 } }

    private func verifier(capacity: Int = 100_000, window: Int64 = 60) throws -> PassportVerifier {
        var proofs = ProofExpectations()
        proofs.replayCacheCapacity = capacity
        proofs.window = window
        return try PassportVerifier(
            keySet: stage.forge.keySet, expectations: stage.verifier.expectations, proofs: proofs)
    }

    /// A passport of another machine, whose key is `key`.
    private func passport(_ key: PrivateKey) throws -> [UInt8] {
        let own = try JSONWebKey(stage.forge.holderKey.publicKey).thumbprint
        return try stage.forge.token(
            payload: stage.payload().replacing(own, with: JSONWebKey(key.publicKey).thumbprint))
    }

    private func refusal(
        _ verifier: PassportVerifier, _ proof: [UInt8], _ result: VerifiedResult, at now: Int64 = Stage.now
    ) -> Refusal.Code? {
        do throws(Refusal) {
            _ = try verifier.prove(result, by: proof, of: request, at: now)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("A used proof is refused in every second in which its time would still let it pass, wherever generations end")
    func everySecond() throws {
        let window: Int64 = 3, passport = try stage.good(), verifier = try verifier(window: window)
        let result = try stage.verifier.verify(passport, at: Stage.now)
        for offset in 0..<Int64(20) {
            // From a clock that is as far ahead as it may be: such a proof lives longest.
            let first = Stage.now + offset, last = first + 2 * window
            let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: first + window)
            #expect(refusal(verifier, proof, result, at: first) == nil)
            for time in first...last {
                #expect(refusal(verifier, proof, result, at: time) == .proofReplayed, "\(offset)")
            }
            #expect(refusal(verifier, proof, result, at: last + 1) == .proofTime)
        }
    }

    @Test("A thread that read the clock a moment earlier neither forgets nor is forgotten")
    func jitter() throws {
        let passport = try stage.good(), verifier = try verifier(window: 1), span: Int64 = 3
        let result = try stage.verifier.verify(passport, at: Stage.now)
        let edge = (Stage.now / span + 1) * span
        let before = try stage.forge.proof(for: request, showing: passport, issuedAt: edge)
        let after = try stage.forge.proof(for: request, showing: passport, issuedAt: edge)
        #expect(refusal(verifier, before, result, at: edge - 1) == nil)
        for _ in 0..<4 {
            #expect(refusal(verifier, before, result, at: edge) == .proofReplayed)
            #expect(refusal(verifier, before, result, at: edge - 1) == .proofReplayed)
        }
        #expect(refusal(verifier, after, result, at: edge) == nil)
        #expect(refusal(verifier, after, result, at: edge - 1) == .proofReplayed)
    }

    @Test("A clock that is set back does not make a used proof good, and the memory does not stay full for it")
    func setBack() throws {
        let passport = try stage.good(), verifier = try verifier(capacity: 3, window: 5)
        let result = try stage.verifier.verify(passport, at: Stage.now)
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        #expect(refusal(verifier, proof, result) == nil)
        #expect(refusal(verifier, proof, result, at: Stage.now - 4) == .proofReplayed)
        let old = Stage.now - 1000
        for time in [old, old + 30, old + 60] {
            let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: time)
            #expect(refusal(verifier, proof, result, at: time) == nil, "\(time)")
        }
    }

    @Test("A flood of valid proofs by one key leaves half of the memory to others; by two keys, a third")
    func floods() throws {
        let verifier = try verifier(capacity: 60)
        var accepted: [Int] = []
        for _ in 0..<3 {
            let key = try PrivateKey.generate(), passport = try passport(key)
            let result = try stage.verifier.verify(passport, at: Stage.now)
            var count = 0
            while count <= 60 {
                let proof = try stage.forge.proof(for: request, showing: passport, by: key, issuedAt: Stage.now)
                guard let code = refusal(verifier, proof, result) else {
                    count += 1
                    continue
                }
                #expect(code == .proofLimit)
                break
            }
            accepted.append(count)
        }
        #expect(accepted == [30, 15, 8])
        let passport = try stage.good(), result = try stage.verifier.verify(passport, at: Stage.now)
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        #expect(refusal(verifier, proof, result) == nil, "who has not been here yet gets in")
        let later = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now + 250)
        #expect(refusal(verifier, later, result, at: Stage.now + 250) == nil)
    }

    @Test("Of many threads that show one proof, one is let in")
    func concurrency() async throws {
        let passport = try stage.good(), verifier = try verifier()
        let result = try stage.verifier.verify(passport, at: Stage.now)
        for round in 0..<8 {
            let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
            let codes = await withTaskGroup(of: Refusal.Code?.self) { group in
                for thread in 0..<16 {
                    // Some of them see the next generation already.
                    group.addTask { refusal(verifier, proof, result, at: Stage.now + Int64(thread % 2 * 60)) }
                }
                return await group.reduce(into: [Refusal.Code?]()) { $0.append($1) }
            }
            #expect(codes.count { $0 == nil } == 1, "\(round)")
            #expect(codes.count { $0 == .proofReplayed } == 15)
        }
    }

    @Test("A clock that jumps, back and forth or forward and back, does not make a used proof good")
    func jumps() throws {
        let window: Int64 = 5, span = 2 * window + 1, passport = try stage.good()
        let result = try stage.verifier.verify(passport, at: Stage.now)
        for path in [[-2, -1, 0], [-3, -2, -1, 0], [5, 0], [5, 6, 7, 0], [-9, 9, -9, 9, 0], [20, -20, 3, 0]]
            as [[Int64]]
        {
            let verifier = try verifier(window: window)
            let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
            #expect(refusal(verifier, proof, result) == nil)
            for spans in path {
                let now = Stage.now + spans * span
                let other = try stage.forge.proof(for: request, showing: passport, issuedAt: now + 1)
                let again = refusal(verifier, other, result, at: now)
                #expect(again == nil || again == .proofTime, "\(path)")
            }
            let replayed = refusal(verifier, proof, result)
            #expect(replayed == .proofReplayed || replayed == .proofTime, "\(path): \(String(describing: replayed))")
            // And it goes on working: the clock was wrong, not the clients.
            let later = Stage.now + 24 * span
            let fresh = try stage.forge.proof(for: request, showing: passport, issuedAt: later)
            #expect(refusal(verifier, fresh, result, at: later) == nil, "\(path)")
        }
    }

    @Test("The times that are forgotten stay few")
    func forgottenTimes() {
        var times = ForgottenTimes()
        for second in stride(from: Int64(0), to: 100_000, by: 1000) { times.insert(second...(second + 10)) }
        #expect(times.ranges.count == ForgottenTimes.maximumCount)
        #expect(stride(from: Int64(0), to: 100_000, by: 1000).allSatisfy { times.contains($0 + 10) })
        #expect(!times.contains(-1) && !times.contains(100_000))
        times.insert(-5...200_000)
        #expect(times.ranges == [-5...200_000])
        times.insert(nil)
        #expect(times.ranges.count == 1)
    }
}
