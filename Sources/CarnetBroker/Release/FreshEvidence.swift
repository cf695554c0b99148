import HTTPTypes
import CarnetRecords
import CarnetRelyingParty
import CarnetService
import CarnetStorage
import CarnetTrustRefresh
import Cryptography
import StrictEncoding

/// Evidence that a machine makes for one release: a question with the broker's own nonce, which one answer uses up.
struct FreshEvidence: Sendable {
    let ledger: Ledger
    let checks: BackgroundChecks?
    let trust: TrustRefresher
    let clock: WallClock

    /// How long a question waits for its answer, in seconds.
    static let lifetime: Int64 = 120
    /// The most questions of one machine.
    static let maximumCount: Int64 = 8

    /// An answer to a question.
    struct Answer: Sendable {
        let challenge: String
        let evidence: JSONNode
    }

    /// Asks a machine.
    ///
    /// - Parameter key: The name of its attestation key, in base64url.
    /// - Returns: The question's identifier and nonce, and what the verifier wants of the machine.
    func ask(
        _ caller: MachineCaller, key: String
    ) async throws -> (id: String, nonce: [UInt8], requirements: JSONNode) {
        guard let checks else { throw Self.noVerifier }
        let requirements = try await checks.requirements(ofKey: key)
        let id = Hexadecimal.encode(SecureRandom.bytes(16)), nonce = SecureRandom.bytes(32)
        let subject = caller.subject, now = clock.now, expiry = now + Self.lifetime
        try await ledger.change(at: now) { connection in
            try connection.execute("DELETE FROM release_challenges WHERE expires_at < \(now)")
            let count =
                try connection.row(
                    "SELECT COUNT(*) AS count FROM release_challenges WHERE subject = \(subject)")?.integer("count")
                ?? 0
            guard count < Self.maximumCount else {
                throw Problem.tooManyRequests("This machine", retryAfter: Int(Self.lifetime), cause: .nodeRate)
            }
            try connection.execute(
                """
                INSERT INTO release_challenges (id, subject, nonce, expires_at)
                VALUES (\(id), \(subject), \(nonce), \(expiry))
                """)
            return .unremarkable(())
        }
        return (id, nonce, requirements)
    }

    /// The verifier's result for an answer, which uses up the question whatever comes of it.
    ///
    /// - Throws: ``CarnetService/Problem`` unless the result is about the machine and the key that call.
    func result(of answer: Answer, from caller: MachineCaller) async throws -> VerifiedResult {
        guard let checks else { throw Self.noVerifier }
        let subject = caller.subject, now = clock.now, id = answer.challenge
        let nonce = try await ledger.change(at: now) { connection in
            let row = try connection.row(
                "SELECT nonce FROM release_challenges WHERE id = \(id) AND subject = \(subject) AND expires_at >= \(now)"
            )
            let count = try connection.execute(
                "DELETE FROM release_challenges WHERE id = \(id) AND subject = \(subject)")
            return count == 1 ? .unremarkable(try row?.bytes("nonce")) : .nothing(nil)
        }
        guard let nonce else {
            throw Problem(
                "challenge-used", .conflict, title: "The challenge cannot be answered",
                detail: "It was answered before, has run out, or is another machine's. Ask for a new one.",
                member: "challenge")
        }
        let (token, findings) = try await checks.appraise(answer.evidence, nonce: nonce)
        guard let token else { throw Self.refused(findings) }
        let result: VerifiedResult
        do {
            result = try await trust.verify(token)
        } catch {
            throw trust.problem(of: error, at: now) ?? Self.refused([error.reason] + findings)
        }
        guard result.nonce == nonce else { throw Self.refused(["The verifier's result is about other evidence."]) }
        guard result.subject == subject, result.keyThumbprint == caller.result.keyThumbprint else {
            throw Self.refused(["The evidence is another machine's, or binds another key than the passport."])
        }
        return result
    }

    private static func refused(_ reasons: [String]) -> Problem {
        Problem.releaseDenied(reasons.isEmpty ? ["The evidence was not accepted."] : reasons)
    }

    private static let noVerifier = Problem(
        "no-background-check", .serviceUnavailable, title: "Evidence cannot be appraised here",
        detail: "This broker has no verifier to ask (--verifier and --verifier-token-file).")
}

extension Problem {
    /// The same answer for what does not exist and for what this machine does not get.
    static func releaseDenied(_ reasons: [String]) -> Problem {
        Problem(
            "release-denied", .forbidden, title: "It is not given to this machine",
            detail: reasons.prefix(4).joined(separator: " "))
    }

    static let freshEvidenceRequired = Problem(
        "fresh-evidence-required", .forbidden, title: "Evidence is wanted at this moment",
        detail:
            "A passport is not enough: ask for a challenge (POST /release/v1/challenges), and send evidence with the request."
    )
}
