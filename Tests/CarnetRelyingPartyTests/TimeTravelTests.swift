import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import StrictEncoding
import Testing

/// The clock is an argument, so that every second of a passport's life can be tried, by every way in.
@Suite("Time travel")
struct TimeTravelTests {
    /// What verifying, verifying again from memory, and explaining say, which must be the same.
    private struct Entrances {
        let fresh: PassportVerifier
        let remembering: PassportVerifier

        init(_ forge: TokenForge, skew: Int64 = 30, _ adjust: (inout Expectations) -> Void = { _ in }) throws {
            var expectations = Expectations(issuer: Stage.issuer, audience: Stage.audience)
            expectations.clockSkew = skew
            adjust(&expectations)
            fresh = try PassportVerifier(keySet: forge.keySet, expectations: expectations)
            remembering = try PassportVerifier(keySet: forge.keySet, expectations: expectations, remembering: 32)
        }

        /// The one answer of all entrances; it fails the test when they differ.
        func refusal(_ token: [UInt8], at now: Int64) -> Refusal.Code? {
            let answers = [
                refusal(fresh, token, now), refusal(remembering, token, now), refusal(remembering, token, now),
            ]
            let explanation = fresh.explain(token, at: now)
            #expect(answers.allSatisfy { $0 == answers[0] }, "\(answers) at \(now)")
            #expect(explanation.isAccepted == (answers[0] == nil))
            #expect(explanation.lacks.first?.code == answers[0]?.rawValue)
            return answers[0]
        }

        private func refusal(_ verifier: PassportVerifier, _ token: [UInt8], _ now: Int64) -> Refusal.Code? {
            do throws(Refusal) {
                _ = try verifier.verify(token, at: now)
                return nil
            } catch {
                return error.code
            }
        }
    }

    @Test("Every second around expiry and beginning, with every skew", arguments: [Int64(0), 1, 30, 60])
    func edges(skew: Int64) throws {
        let forge = try TokenForge(), entrances = try Entrances(forge, skew: skew)
        let token = try forge.signingKey.mint(forge.result(issuedAt: Stage.now, lifetime: 300))
        let expiry = Stage.now + 300
        for (now, code) in [
            (expiry - 1, nil), (expiry, skew > 0 ? nil : Refusal.Code.expired), (expiry + skew - 1, nil),
            (expiry + skew, .expired), (expiry + skew + 1, .expired), (Stage.now, nil), (Stage.now - skew, nil),
            (Stage.now - skew - 1, .notYetValid),
        ] {
            #expect(entrances.refusal(token, at: now) == code, "\(now - expiry) after expiry, skew \(skew)")
        }
    }

    /// POSIX time gives two seconds the same number, or repeats one, on such a day (2016-12-31T23:59:60Z is 1483228800 again).
    @Test("A leap second moves nothing by more than the skew")
    func leapSecond() throws {
        let midnight: Int64 = 1_483_228_800
        let forge = try TokenForge(), entrances = try Entrances(forge, skew: 1)
        let token = try forge.signingKey.mint(forge.result(issuedAt: midnight, lifetime: 60))
        for now in [midnight - 1, midnight, midnight, midnight + 59, midnight + 60] {
            #expect(entrances.refusal(token, at: now) == nil, "\(now)")
        }
        #expect(entrances.refusal(token, at: midnight + 61) == .expired)
        #expect(entrances.refusal(token, at: midnight - 2) == .notYetValid)
    }

    @Test("Clocks that stand at the ends of time refuse, and trap nowhere")
    func extremes() throws {
        let forge = try TokenForge(), entrances = try Entrances(forge)
        let token = try forge.signingKey.mint(forge.result(issuedAt: Stage.now))
        for now in [.max, .max - 1, 1 << 40, 253_402_300_799] as [Int64] {
            #expect(entrances.refusal(token, at: now) == .expired)
        }
        for now in [.min, -1, 0, 1] as [Int64] { #expect(entrances.refusal(token, at: now) == .notYetValid) }
        let greedy = try Entrances(forge) {
            $0.maximumAge = .max
            $0.maximumLifetime = .max
            $0.toleratedAbsences = [.expiry]
        }
        #expect(greedy.refusal(token, at: Stage.now) == nil && greedy.refusal(token, at: .max) == .expired)
        let payload = String(decoding: try forge.result(issuedAt: Stage.now).claimsSet, as: UTF8.self)
        let endless = try forge.token(payload: payload.replacing(#""exp":1800000300,"#, with: ""))
        #expect(greedy.refusal(endless, at: Stage.now + 9_999_999_999) == nil)
        #expect(greedy.refusal(endless, at: .max) == .expired)
        let sullen = try Entrances(forge) {
            $0.maximumAge = .min
            $0.maximumLifetime = .min
        }
        #expect(sullen.refusal(token, at: Stage.now) == .tooOld)
    }

    @Test("The relying party's own age limit counts from iat, whatever exp says")
    func age() throws {
        let forge = try TokenForge(), entrances = try Entrances(forge, skew: 0) { $0.maximumAge = 10 }
        let token = try forge.signingKey.mint(forge.result(issuedAt: Stage.now))
        #expect(entrances.refusal(token, at: Stage.now + 10) == nil)
        #expect(entrances.refusal(token, at: Stage.now + 11) == .tooOld)
    }
}
