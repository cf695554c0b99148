import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

@Suite("Signed challenges")
struct ChallengeTests {
    private let stage: Stage, passport: [UInt8], result: VerifiedResult
    private let challenges = PossessionChallenges(lifetime: 20)

    init() throws {
        stage = try Stage()
        passport = try stage.good()
        result = try stage.verifier.verify(passport, at: Stage.now)
    }

    private func answer(
        _ challenge: [UInt8], audience: String = Stage.audience, passport: [UInt8]? = nil, binding: [UInt8] = [],
        by key: PrivateKey? = nil
    ) throws -> [UInt8] {
        let key = key ?? stage.forge.holderKey
        return try PossessionAnswer(
            to: challenge, audience: audience, showing: passport ?? self.passport, channelBinding: binding,
            key: JSONWebKey(key.publicKey)
        ) { try key.ecdsaSignature(ofDigest: $0) }.bytes
    }

    private func refusal(
        _ answer: [UInt8], to challenge: [UInt8], of challenges: PossessionChallenges? = nil, binding: [UInt8] = [],
        at now: Int64 = Stage.now
    ) -> Refusal.Code? {
        do throws(Refusal) {
            _ = try stage.verifier.prove(
                result, byAnswer: answer, to: challenge, of: challenges ?? self.challenges, channelBinding: binding,
                at: now)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("The holder answers once")
    func good() throws {
        let challenge = challenges.issue(at: Stage.now), answer = try answer(challenge)
        #expect(challenge.count == 32 && answer.count == 128)
        let proven = try stage.verifier.prove(
            result, byAnswer: answer, to: challenge, of: challenges, at: Stage.now)
        #expect(proven.manner == .challenge && proven.proofID == Base64URL.encode(challenge))
        #expect(refusal(answer, to: challenge) == .proofReplayed)
        #expect(refusal(try self.answer(challenge), to: challenge) == .proofReplayed, "ECDSA signs anew each time")
        #expect(refusal(answer, to: challenge, at: Stage.now + 20) == .proofReplayed)
    }

    @Test("What was signed is exactly this, by the documentation")
    func layout() throws {
        let challenge = challenges.issue(at: Stage.now), answer = try answer(challenge, binding: [1, 2])
        var message = Array("carnet/possession/v1".utf8) + [0] + challenge
        for part in [Array(Stage.audience.utf8), passport, [1, 2]] { message += HashAlgorithm.sha256.hash(part) }
        #expect(message.count == 149)
        let point = try #require(stage.forge.holderKey.publicKey.point)
        #expect(Array(answer[..<64]) == point.x + point.y)
        #expect(
            stage.forge.holderKey.publicKey.isValidECDSASignature(
                fixedWidth: Array(answer[64...]), over: message, .sha256))
    }

    @Test("Another key, passport, audience, challenge or connection is refused, and takes no place")
    func spoiled() throws {
        let challenge = challenges.issue(at: Stage.now), other = challenges.issue(at: Stage.now)
        #expect(challenge != other)
        #expect(refusal(try answer(challenge, by: .generate()), to: challenge) == .proofKey)
        #expect(refusal(try answer(challenge, passport: stage.good()), to: challenge) == .signature)
        #expect(refusal(try answer(challenge, audience: "https://other.example"), to: challenge) == .signature)
        #expect(refusal(try answer(other), to: challenge) == .signature)
        #expect(refusal(try answer(challenge, binding: [1]), to: challenge) == .signature)
        #expect(refusal(try answer(challenge), to: challenge, binding: [1]) == .signature)
        #expect(refusal(try answer(challenge, binding: [2]), to: challenge, binding: [1]) == .signature)
        #expect(refusal(try answer(challenge, binding: [1]), to: challenge, binding: [1]) == nil)
        #expect(refusal(try answer(other), to: other) == nil)
    }

    @Test("Every byte of an answer and of a challenge matters, and so do their lengths")
    func bytes() throws {
        let challenge = challenges.issue(at: Stage.now), answer = try answer(challenge)
        for index in answer.indices {
            var changed = answer
            changed[index] ^= 1
            #expect(refusal(changed, to: challenge) == (index < 64 ? .proofKey : .signature), "\(index)")
        }
        for index in challenge.indices {
            var changed = challenge
            changed[index] ^= 1
            #expect(refusal(answer, to: changed) == .challenge, "\(index)")
        }
        for spoiled in [[], Array(answer.dropLast()), answer + [0], passport] {
            #expect(refusal(spoiled, to: challenge) == .proof)
        }
        for spoiled in [[], Array(challenge.dropLast()), challenge + [0]] {
            #expect(refusal(answer, to: spoiled) == .challenge)
        }
        #expect(refusal(answer, to: challenge) == nil)
    }

    @Test("A challenge counts to the second of its life, only at a server with its key; the passport must live too")
    func times() throws {
        let challenge = challenges.issue(at: Stage.now), answer = try answer(challenge)
        #expect(refusal(answer, to: challenge, at: Stage.now + 21) == .challenge)
        #expect(refusal(answer, to: challenge, at: Stage.now - 1) == .challenge)
        #expect(refusal(answer, to: challenge, of: PossessionChallenges()) == .challenge)
        #expect(refusal(answer, to: challenge, at: Stage.now + 20) == nil)
        let late = challenges.issue(at: Stage.now + 330)
        #expect(refusal(try self.answer(late), to: late, at: Stage.now + 330) == .expired)
        let key = [UInt8](repeating: 4, count: 32)
        let one = try PossessionChallenges(sharedKey: key), two = try PossessionChallenges(sharedKey: key)
        let shared = one.issue(at: Stage.now)
        #expect(refusal(try self.answer(shared), to: shared, of: two) == nil)
        #expect(throws: JOSEError.self) { try PossessionChallenges(sharedKey: Array(key.dropLast())) }
        for time in [Int64.min, -1, .max] { #expect(one.issue(at: time).count == 32) }
    }

    @Test("An answer is no DPoP proof, and a DPoP proof's signature is no answer")
    func separation() throws {
        let request = ProvenRequest(method: "POST", uri: "https://service.example/")
        let challenge = challenges.issue(at: Stage.now), answer = try answer(challenge)
        let proof = try stage.forge.proof(for: request, showing: passport, issuedAt: Stage.now)
        let dot = try #require(proof.lastIndex(of: UInt8(ascii: ".")))
        let signature = try #require(Base64URL.decode(proof[(dot + 1)...]))
        #expect(refusal(Array(answer[..<64]) + signature, to: challenge) == .signature)
        let forged = Array(proof[...dot]) + Array(Base64URL.encode(Array(answer[64...])).utf8)
        let refused = #expect(throws: Refusal.self) {
            try stage.verifier.prove(result, by: forged, of: request, at: Stage.now)
        }
        #expect(refused?.code == .signature)
        #expect(throws: (any Error).self) { try self.answer(Array(passport.prefix(31))) }
    }

    @Test("A flood of answers by one key leaves room for others, and ends with its challenges")
    func flood() throws {
        let challenges = PossessionChallenges(lifetime: 20, capacity: 4)
        func next(at now: Int64) throws -> Refusal.Code? {
            let challenge = challenges.issue(at: now)
            return refusal(try answer(challenge), to: challenge, of: challenges, at: now)
        }
        #expect(try (0..<3).map { _ in try next(at: Stage.now) } == [nil, nil, .proofLimit])
        #expect(try next(at: Stage.now + 42) == nil)
    }

    @Test("Of many threads that show one answer, one is let in")
    func concurrency() async throws {
        let challenge = challenges.issue(at: Stage.now), answer = try answer(challenge)
        let codes = await withTaskGroup(of: Refusal.Code?.self) { group in
            for _ in 0..<16 { group.addTask { refusal(answer, to: challenge) } }
            return await group.reduce(into: [Refusal.Code?]()) { $0.append($1) }
        }
        #expect(codes.count { $0 == nil } == 1)
    }
}
