import CarnetRecords
import CarnetService
import CarnetStorage
import StrictEncoding

/// The sessions of key-broker clients that tried to attest: each tries once.
struct KeyBrokerSessions: Sendable {
    let ledger: Ledger
    let key: [UInt8]
    let clock: WallClock

    /// How long a session lasts, in seconds, from the question on.
    static let lifetime: Int64 = 300
    /// The most sessions that are kept.
    static let maximumCount: Int64 = 65_536

    /// What is kept of a session that attested.
    struct Attested: Sendable {
        /// The verifier's result.
        let token: [UInt8]
        /// In seconds since 1970.
        let time: Int64
    }

    /// Begins a session. Nothing is written down.
    func begin() -> KeyBrokerCookie { KeyBrokerCookie(key, endingAt: clock.now + Self.lifetime) }

    /// Uses up a session's only attempt, before anybody looks at the evidence.
    ///
    /// - Returns: What came of the attempt, when it was used before and succeeded; `nil` when this is the attempt.
    /// - Throws: ``KeyBrokerError`` when it was used and failed, or the session is over.
    func attempt(_ cookie: KeyBrokerCookie) async throws -> Attested? {
        let now = clock.now, id = cookie.digest, end = cookie.end
        guard now < end else { throw Self.over }
        let (isFirst, row, isFull) = try await ledger.change(at: now) {
            connection -> LedgerChange<(Bool, SQLRow?, Bool)> in
            try connection.execute("DELETE FROM kbs_sessions WHERE expires_at <= \(now)")
            let count = try connection.row("SELECT COUNT(*) AS count FROM kbs_sessions")?.integer("count") ?? 0
            if count < Self.maximumCount {
                let isFirst =
                    try connection.execute(
                        "INSERT INTO kbs_sessions (id, expires_at) VALUES (\(id), \(end)) ON CONFLICT (id) DO NOTHING")
                    == 1
                guard !isFirst else { return .unremarkable((true, nil, false)) }
            }
            // A session that is known goes on also where there is no room for another.
            let row = try connection.row("SELECT token, attested_at FROM kbs_sessions WHERE id = \(id)")
            return .unremarkable((false, row, row == nil))
        }
        guard !isFull else {
            throw Problem.unavailable("Too many sessions attest now.", retryAfter: 60, cause: "kbs_sessions is full")
        }
        if isFirst { return nil }
        guard let attested = try row.flatMap(Self.attested) else { throw Self.used }
        return attested
    }

    /// Keeps what the attempt came to; the ledger tells of it.
    func keep(_ token: [UInt8], of machine: String, tokenID: String, as cookie: KeyBrokerCookie) async throws {
        let now = clock.now, id = cookie.digest
        let isKept = try await ledger.change(at: now) { connection in
            let count = try connection.execute(
                """
                UPDATE kbs_sessions SET token = \(token), attested_at = \(now)
                WHERE id = \(id) AND token IS NULL AND expires_at > \(now)
                """)
            return count == 1
                ? .recorded(
                    true, LedgerEvent(KeyBrokerAttestation(machine: machine, outcome: .attested(tokenID: tokenID))))
                : .nothing(false)
        }
        guard isKept else { throw Self.over }
    }

    /// Writes a refusal down, at most one in ``Ledger/failureInterval``: anybody can cause it, and the verifier's ledger has them all.
    func refused(_ reasons: [String]) async throws {
        let now = clock.now
        let fact = KeyBrokerAttestation(machine: nil, outcome: .refused(reasons))
        try await ledger.change(at: now) { connection in
            guard try Ledger.isQuiet(fact.kind, about: fact.subject ?? "", at: now, in: connection) else {
                return .nothing(())
            }
            return .recorded((), LedgerEvent(fact))
        }
    }

    /// What a session attested with; `nil` when it did not, or is over.
    func attested(_ cookie: KeyBrokerCookie) async throws -> Attested? {
        let now = clock.now, id = cookie.digest
        guard now < cookie.end else { return nil }
        return try await ledger.read { connection in
            try connection.row(
                "SELECT token, attested_at FROM kbs_sessions WHERE id = \(id) AND expires_at > \(now)"
            ).flatMap(Self.attested)
        }
    }

    private static func attested(_ row: SQLRow) throws -> Attested? {
        guard let token = try row.optionalBytes("token"), let time = try row.optionalInteger("attested_at") else {
            return nil
        }
        return Attested(token: token, time: time)
    }

    private static let over = KeyBrokerError(.attestationError, "The session is over. Begin another.")
    private static let used = KeyBrokerError(
        .attestationError, "The session's only attempt to attest failed, or has not ended. Begin another.")
}

/// What came of a key-broker client's attempt to attest. The cookie and the result are nowhere here.
struct KeyBrokerAttestation: LedgerFact, Hashable {
    /// The machine, as the result's `sub` names it; `nil` when nobody knows which it was.
    let machine: String?
    let outcome: Outcome

    enum Outcome: Sendable, Hashable {
        /// With the `jti` of the result.
        case attested(tokenID: String)
        /// Refused: why.
        case refused([String])
    }

    var kind: String {
        if case .refused = outcome { "kbs-attestation-refused" } else { "kbs-attestation" }
    }
    var subject: String? { machine ?? "kbs" }
    var actor: String? { nil }

    func write(to writer: inout JSONWriter, actorName: String?) {
        switch outcome {
        case .attested(let tokenID):
            writer.string("outcome", "attested")
            writer.string("jti", tokenID)
        case .refused(let reasons):
            writer.string("outcome", "refused")
            writer.array("reasons") { writer in for reason in reasons.prefix(8) { writer.element(reason) } }
        }
    }
}
