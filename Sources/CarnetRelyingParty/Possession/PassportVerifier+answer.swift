internal import CarnetResult
internal import Cryptography
internal import StrictEncoding

extension PassportVerifier {
    /// Checks that the holder of the passport's key answered a challenge of this server, once.
    ///
    /// The audience in the answer must be ``Expectations/audience``.
    ///
    /// - Parameters:
    ///   - answer: The 128 bytes of a ``CarnetResult/PossessionAnswer``.
    ///   - challenge: The 32 bytes that `challenges` gave. Where this server remembers them for each connection, from its memory;
    ///     otherwise the peer may send them back.
    ///   - channelBinding: What names this connection at this end; empty where nothing is demanded.
    ///   - now: Seconds since 1970.
    public func prove(
        _ result: VerifiedResult, byAnswer answer: [UInt8], to challenge: [UInt8], of challenges: PossessionChallenges,
        channelBinding: [UInt8] = [], at now: Int64
    ) throws(Refusal) -> ProvenResult {
        let next = "Ask for a new challenge and answer it with the passport's key"
        func refuse(_ code: Refusal.Code, _ reason: String) -> Refusal { Refusal(code, reason, nextStep: next) }
        let now = Self.bounded(now)
        try requireLife(of: result, at: now, nextStep: next)
        guard let age = challenges.age(of: challenge, at: now) else {
            throw refuse(.challenge, "The challenge is not one of this server")
        }
        guard (0...challenges.lifetime).contains(age) else {
            throw refuse(.challenge, "The challenge was given \(age) seconds ago; it counts for \(challenges.lifetime)")
        }
        do {
            let answer = try PossessionAnswer(parsing: answer)
            guard constantTimeEqual(Array(answer.key.thumbprint.utf8), Array(result.keyThumbprint.utf8)) else {
                throw refuse(.proofKey, "The answer is by another key than the one to which the passport is bound")
            }
            guard
                try answer.isSigned(
                    for: challenge, audience: expectations.audience, passport: result.token,
                    channelBinding: channelBinding)
            else {
                throw refuse(
                    .signature, "The signature is not over this challenge, audience, passport and channel binding")
            }
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw refuse(.proof, "The answer cannot be used: \(error)")
        }
        let holder = TokenDigest(of: Array(result.keyThumbprint.utf8))
        switch challenges.use(challenge, aged: age, by: holder, at: now) {
        case .fresh: break
        case .seen: throw refuse(.proofReplayed, "The challenge was answered before")
        case .full: throw Self.tooManyProofs(seconds: challenges.lifetime)
        case .forgotten:
            throw refuse(
                .challenge, "The clock was changed, and which challenges of that second were answered is not remembered"
            )
        }
        return ProvenResult(result: result, manner: .challenge, proofID: Base64URL.encode(challenge))
    }

    static func tooManyProofs(seconds: Int64) -> Refusal {
        Refusal(
            .proofLimit, "This key has as many fresh proofs as are remembered of it",
            nextStep: "Wait \(seconds) seconds, or let the server remember more")
    }
}
