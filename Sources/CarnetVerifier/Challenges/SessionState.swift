import CarnetRecords
import CarnetEvidence
import CarnetStorage

/// How far a session is, in Veraison's words. Evidence is appraised while its sender waits, so none is ever `processing`.
enum SessionState: String, Sendable, Hashable {
    /// No evidence came yet.
    case waiting
    /// Evidence came, and a result was signed.
    case complete
    /// Evidence came, and proved nothing or could not be read.
    case failed
}

extension Ledger {
    /// How far a session is; `nil` when it was removed. The ledger knows that a token was signed, and never the token.
    func sessionState(of challenge: Challenge) async throws -> SessionState? {
        let digest = ChallengeDigest.session(challenge.nonce)
        let removal = ChallengeDigest.removedSession(challenge.nonce)
        return try await read { connection in
            guard try connection.row("SELECT 1 FROM used_challenges WHERE digest = \(removal)") == nil else {
                return nil
            }
            guard try connection.row("SELECT 1 FROM used_challenges WHERE digest = \(digest)") != nil else {
                return .waiting
            }
            // What proved nothing is not always written.
            let entry = try connection.row("SELECT * FROM ledger WHERE challenge = \(digest)").map(
                LedgerEntry.init(row:))
            return entry?.tokenID == nil ? .failed : .complete
        }
    }

    /// Uses up the challenge of a session, whether evidence came or not, and notes that the session is gone. Both are kept until the
    /// challenge would have run out.
    ///
    /// - Returns: Whether it was there.
    func removeSession(of challenge: Challenge, at now: Int64) async throws -> Bool {
        let digest = ChallengeDigest.session(challenge.nonce)
        let removal = ChallengeDigest.removedSession(challenge.nonce)
        let expiry = challenge.expiresAt
        return try await change(at: now) { connection in
            let isThere = try UsedChallenges.use(removal, until: expiry, at: now, in: connection)
            if isThere { _ = try UsedChallenges.use(digest, until: expiry, at: now, in: connection) }
            return .unremarkable(isThere)
        }
    }
}
