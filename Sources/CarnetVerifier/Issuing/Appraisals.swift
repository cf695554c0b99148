import CarnetRecords
import TPM2
import CarnetResult
import CarnetAppraisal
import CarnetEvidence
import CarnetService
import Cryptography
import Logging

/// From evidence to a token or findings: read, authenticate, appraise, record, sign, in this order.
///
/// Recording is what consumes the challenge, and comes before signing: when the database cannot be written there is no token,
/// and the challenge is still good. Everything else that goes wrong uses the challenge up.
struct Appraisals: Sendable {
    let nodes: NodeStore
    let ledger: Ledger
    let policy: ActivePolicy
    let revocations: Revocations
    let issuer: TokenIssuer
    let clock: WallClock
    let metrics: VerifierMetrics
    let rates: NodeRates

    /// What comes out.
    enum Decision: Sendable {
        /// A token, whatever its verdict.
        case issued(token: String, findings: [Finding])
        /// The chain of evidence is broken; no token.
        case failed([Finding])
    }

    /// Decides about evidence.
    ///
    /// - Parameter read: Reads the evidence. What it throws uses the challenge up too.
    /// - Throws: ``Problem``: 400 for evidence that cannot be read, 409 for a challenge that was used before, 429 for a machine that
    ///   attests too often, 503 when the database cannot be written. The last two use nothing up.
    func decide(
        _ request: EvidenceRequest, logger: Logger, read: () throws -> Evidence
    ) async throws -> Decision {
        guard try await !ledger.wasUsed(request.challengeDigest) else { throw Self.challengeUsed }
        if let refused = try await refuseUnread(request, logger) { return refused }
        let evidence: Evidence
        let quote: UnverifiedQuote
        do {
            evidence = try read()
            quote = try UnverifiedQuote(evidence)
        } catch {
            try await consume(request.entry(.unreadable, findings: [], at: clock.now))
            metrics.appraised(request.kind, "unreadable", [])
            throw error
        }
        try rates.look(request.kind, evidence.attestationKey)
        // Before anything is read that may be withdrawn meanwhile.
        let latestRevocation = try await revocations.latest()
        let (node, authenticated) = try await metrics.timing(.authenticate) {
            let node = try await nodes.node(attestationKeyName: evidence.attestationKey.bytes)
            return (node, try await authenticate(quote, node, request))
        }
        switch authenticated {
        case .broken(let findings):
            return try await fail(request, node, findings, logger)
        case .authentic(let quote, let node, let last):
            try rates.take(request.kind, evidence.attestationKey)
            return try await appraise(quote, node, after: last, request, evidence, latestRevocation, logger)
        }
    }

    /// How many bytes of evidence are read without a look at whom the challenge is for: what ordinary evidence has.
    private static let ordinaryByteCount = 512 * 1024

    /// Decides about long evidence without reading it, where the challenge says enough: it is for a key that nobody knows or has approved,
    /// or whose machine attests too often.
    private func refuseUnread(_ request: EvidenceRequest, _ logger: Logger) async throws -> Decision? {
        guard request.body.count > Self.ordinaryByteCount, let key = request.challenge.attestationKey else {
            return nil
        }
        try rates.look(request.kind, key)
        let node = try await nodes.node(attestationKeyName: key.bytes)
        guard let node else { return try await fail(request, nil, [.unknownAttestationKey], logger) }
        return node.isApproved ? nil : try await fail(request, node, [.notApproved(node)], logger)
    }

    /// What became of the authentication, with the machine that it is about.
    private enum Authenticated {
        case authentic(AuthenticatedQuote, Node, after: BootCounters?)
        case broken([Finding])
    }

    private func authenticate(
        _ quote: UnverifiedQuote, _ node: Node?, _ request: EvidenceRequest
    ) async throws -> Authenticated {
        guard let node else { return .broken([.unknownAttestationKey]) }
        guard node.isApproved else { return .broken([.notApproved(node)]) }
        let key: AttestationKey
        do {
            key = try NodeKeys.attestationKey(of: node.identity)
        } catch {
            return .broken([.unusableKeys("\(error)")])
        }
        let last = try await ledger.counters(of: node).map(request.kind.earliest)
        switch request.authenticate(quote, by: key, after: last) {
        case .authentic(let quote): return .authentic(quote, node, after: last)
        case .broken(let findings): return .broken(findings)
        }
    }

    private func appraise(
        _ quote: AuthenticatedQuote, _ node: Node, after last: BootCounters?, _ request: EvidenceRequest,
        _ evidence: Evidence, _ latestRevocation: Int64, _ logger: Logger
    ) async throws -> Decision {
        let policy = try await policy.current(for: node.labels)
        var known: IMAProgress?
        if policy?.ima != nil, let policy { known = try await ledger.progress(of: node, policyDigest: policy.digest) }
        let checkpoint = known?.resetCount == quote.counters.resetCount ? known?.checkpoint : nil
        let appraiser = try await self.policy.appraiser(policy)
        let now = clock.now
        let outcome = await metrics.timing(.appraise) {
            request.form.appraise(quote, by: appraiser, at: now, ima: checkpoint)
        }
        let kept = request.kind == .passport ? request.body : evidence.bytes
        let inputs = AppraisalInputs(
            call: request.kind, time: now, evidence: HashAlgorithm.sha256.hash(kept),
            selection: request.challenge.selection, previous: last, checkpoint: checkpoint,
            templates: appraiser.templateDigests, form: request.form)
        let key = try await signingKey()
        let particulars = LedgerEntry.Particulars(outcome, inputs, expiry: now + issuer.lifetime, key.keyID)
        let tokenID = TokenIssuer.tokenID()
        let subject = Ledger.Subject(
            node: node, counters: quote.counters, firmwareVersion: quote.firmwareVersion,
            evidence: StoredEvidence(evidence, kept, inputs, outcome),
            progress: outcome.progress(in: quote.counters, policy), latestRevocation: latestRevocation)
        let (recording, circumstances) = try await metrics.timing(.record) {
            try await ledger.record(
                subject, request.kind, statusLifetime: issuer.refersToStatusLists ? issuer.lifetime : nil
            ) { circumstances in
                let broken = circumstances.findings(about: node)
                guard broken.isEmpty, case .verdict(let verdict) = outcome else {
                    return request.entry(
                        .failed, node: node, policyDigest: policy?.digest, findings: broken + outcome.findings,
                        particulars: particulars, at: now)
                }
                return request.entry(
                    LedgerEntry.Outcome(verdict.status), node: node, policyDigest: policy?.digest, tokenID: tokenID,
                    findings: verdict.findings, particulars: particulars, at: now)
            }
        }
        guard recording == .recorded else { throw Self.challengeUsed }
        let broken = circumstances.findings(about: node)
        guard broken.isEmpty, case .verdict(let verdict) = outcome else {
            tell(logger, request, node, "failed", broken + outcome.findings)
            return .failed(broken + outcome.findings)
        }
        let token = try await metrics.timing(.sign) {
            try issuer.token(
                verdict, for: quote, subject: node.subject, audience: request.audience,
                nonce: request.challenge.requesterNonce ?? request.challenge.nonce, id: tokenID,
                nodeLabels: policy?.disclosed(of: node.labels.values) ?? [:], now: now,
                key: key, status: circumstances.statusEntry)
        }
        metrics.issued()
        tell(logger, request, node, verdict.status.rawValue, verdict.findings, tokenID: tokenID)
        return .issued(token: token, findings: verdict.findings)
    }

    /// The key to sign with, if anything is to be signed.
    ///
    /// - Throws: ``Problem``: 503 when no key can be used now.
    private func signingKey() async throws -> SigningKey {
        do {
            return try await issuer.signingKey()
        } catch let error as any ProblemConvertible & Error {
            throw error
        } catch {
            throw Problem.unavailable("Nothing can be signed now.", retryAfter: 60, cause: "\(error)")
        }
    }

    private func fail(
        _ request: EvidenceRequest, _ node: Node?, _ findings: [Finding], _ logger: Logger
    ) async throws -> Decision {
        try await consume(request.entry(.failed, node: node, findings: findings, at: clock.now))
        tell(logger, request, node, "failed", findings)
        return .failed(findings)
    }

    private func consume(_ entry: LedgerEntry) async throws {
        guard try await ledger.consume(entry) == .recorded else { throw Self.challengeUsed }
    }

    /// Logs and counts how it ended.
    private func tell(
        _ logger: Logger, _ request: EvidenceRequest, _ node: Node?, _ outcome: String, _ findings: [Finding],
        tokenID: String? = nil
    ) {
        var metadata: Logger.Metadata = ["outcome": .string(outcome)]
        if let node { metadata["node"] = .string(node.id) }
        if let tokenID { metadata["jti"] = .string(tokenID) }
        if !findings.isEmpty { metadata["rules"] = .string(Set(findings.map(\.rule)).sorted().joined(separator: " ")) }
        logger.info("appraisal", metadata: metadata)
        metrics.appraised(request.kind, outcome, findings)
    }

    /// The answer to evidence whose challenge was answered before.
    static let challengeUsed = Problem.conflict(
        "challenge-used", title: "The challenge was used",
        "A challenge is good for one answer. Ask for a new one.")
}

extension AppraisalOutcome {
    /// What the next list of files may go on from.
    fileprivate func progress(in boot: BootCounters, _ policy: Policy?) -> IMAProgress? {
        guard case .verdict(let verdict) = self, let checkpoint = verdict.imaCheckpoint, let policy else { return nil }
        return IMAProgress(resetCount: boot.resetCount, policyDigest: policy.digest, checkpoint: checkpoint)
    }
}
