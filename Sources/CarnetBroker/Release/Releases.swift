import CarnetLedger
import CarnetRecords
import CarnetRelyingParty
import CarnetSealing
import CarnetService
import CarnetStorage
import StrictEncoding

/// Gives out secrets: the decision, the secret's opening, its encryption to the machine and the ledger's entry are one transaction.
struct Releases: Sendable {
    let ledger: Ledger
    let wrapping: KeyEncryptionKey
    let fresh: FreshEvidence
    let clock: WallClock
    let metrics: BrokerMetrics

    /// What is given out.
    struct Released: Sendable {
        let message: [UInt8]
        let version: Int64
    }

    /// Something that is given out: how it is called, which policies speak of it, and how it is opened.
    struct Item: Sendable {
        let name: String
        let covers: @Sendable (ReleasePolicy) -> Bool
        /// Its bytes and version; `nil` when there is none.
        let open: @Sendable (any SQLConnection) throws -> (secret: [UInt8], version: Int64)?
        /// The answer to a machine that may have it when there is none.
        let missing: Problem
        /// Notes that it was given out, in the same transaction.
        var note: @Sendable (any SQLConnection) throws -> Void = { _ in }
    }

    /// Gives out a secret, or says why not.
    ///
    /// - Parameters:
    ///   - form: In which form; `nil` for what has one.
    ///   - answer: Evidence for this release, where there is some.
    func release(
        _ item: Item, to caller: MachineCaller, as form: ReleasePolicy.Form?, with answer: FreshEvidence.Answer?
    ) async throws -> Released {
        var result = caller.result
        if let answer {
            do {
                result = try await fresh.result(of: answer, from: caller)
            } catch let problem as Problem where problem.slug == "release-denied" {
                try await refuse(item.name, caller.result, [problem.detail], model: "background-check")
                throw problem
            }
        }
        let kind = answer == nil ? "passport" : "background-check"
        return try await give(item, to: result, as: form, isFresh: answer != nil, model: kind) { secret, minimum, now in
            try SecretGrant.seal(
                secret, to: caller.proven, as: form == .tpmImport ? .tpmImport : .jwe, minimumProtection: minimum,
                at: now)
        }
    }

    /// Gives out a secret to the machine of a result, or says why not.
    ///
    /// - Parameters:
    ///   - isFresh: Whether evidence was appraised at this moment.
    ///   - model: What was shown, as the ledger has it.
    ///   - seal: Encrypts the secret to the machine: to a key that is protected so well at least, at a time in seconds since 1970.
    func give(
        _ item: Item, to shown: VerifiedResult, as form: ReleasePolicy.Form?, isFresh: Bool, model: String,
        sealing seal: @escaping @Sendable (_ secret: [UInt8], _ minimum: KeyProtection, _ now: Int64) throws -> [UInt8]
    ) async throws -> Released {
        let now = clock.now
        let ended = try await ledger.change(at: now) { connection -> LedgerChange<Ended> in
            let policies = try ReleasePolicyStore.all(in: connection).map(\.policy).filter(item.covers)
            switch ReleaseDecision.decide(policies, shown, form: form, isFresh: isFresh, at: now) {
            case .wantsFreshEvidence: return .nothing(.wantsFreshEvidence)
            case .refused(let reasons):
                return .nothing(
                    .refused(reasons, ReleaseDecision.explain(policies, shown, form: form, at: now)))
            case .granted(let policy):
                guard let (secret, version) = try item.open(connection) else { return .nothing(.missing) }
                let minimum = policies.first { $0.id == policy }?.demands.keyProtection ?? .tpm
                let message: [UInt8]
                do {
                    message = try seal(secret, minimum, now)
                } catch let refusal as CarnetRelyingParty.Refusal {
                    return .nothing(.refused([refusal.description], [refusal.description]))
                }
                try item.note(connection)
                let release = SecretRelease(
                    machine: shown.subject, what: item.name, tokenID: shown.tokenID,
                    outcome: .granted(version: version, form: (form ?? .jwe).rawValue, policy: policy), model: model)
                return .recorded(
                    .released(Released(message: message, version: version)), LedgerEvent(release))
            }
        }
        metrics.released(ended.word)
        switch ended {
        case .released(let released): return released
        case .wantsFreshEvidence: throw Problem.freshEvidenceRequired
        case .missing:
            try await refuse(item.name, shown, ["There is none."], model: model)
            throw item.missing
        case .refused(let reasons, let explanation):
            try await refuse(item.name, shown, explanation, model: model)
            throw Problem.releaseDenied(reasons)
        }
    }

    private enum Ended: Sendable {
        case released(Released), wantsFreshEvidence, missing
        /// What the machine is told, and what operators are.
        case refused([String], [String])

        var word: String {
            switch self {
            case .released: "granted"
            case .wantsFreshEvidence: "fresh-evidence"
            case .refused: "refused"
            case .missing: "missing"
            }
        }
    }

    /// Writes a refusal down. A machine may ask as often as its rate allows; the same is not written twice in a row within
    /// ``Ledger/failureInterval``.
    private func refuse(_ name: String, _ shown: VerifiedResult, _ reasons: [String], model: String) async throws {
        let now = clock.now
        let release = SecretRelease(
            machine: shown.subject, what: name, tokenID: shown.tokenID, outcome: .refused(reasons),
            model: model)
        try await ledger.change(at: now) { connection in
            guard try Self.isNew(release, at: now, in: connection) else { return .nothing(()) }
            return .recorded((), LedgerEvent(release))
        }
    }

    /// Whether the machine's last refusal was about something else, or some time ago.
    private static func isNew(
        _ release: SecretRelease, at now: Int64, in connection: any SQLConnection
    ) throws -> Bool {
        let last = try connection.row(
            """
            SELECT time, body FROM ledger WHERE subject = \(release.machine) AND kind = \(release.kind)
            ORDER BY time DESC, number DESC LIMIT 1
            """)
        guard let last, try last.integer("time") > now - Ledger.failureInterval else { return true }
        let body = try JSONDocument(
            parsing: last.bytes("body"), maximumByteCount: LedgerEntryRecord.maximumBodyByteCount
        ).root
        return body["secret"]?.string != release.what
    }
}
