import CarnetRecords
import CarnetEvidence
import Cryptography
import StrictEncoding

/// Evidence that somebody sent, and what it has to answer.
struct EvidenceRequest: Sendable {
    /// Which call.
    let kind: LedgerEntry.Kind
    /// What the evidence answers.
    let challenge: Challenge
    /// What the ledger consumes.
    let challengeDigest: [UInt8]
    /// The evidence as it arrived.
    let body: [UInt8]
    /// SHA-256 of it.
    let evidenceDigest: [UInt8]
    /// `aud` of the token.
    let audience: [String]
    /// The identifier of the API token that asks.
    let requester: String?
    /// In which protocol the evidence comes.
    let form: EvidenceForm
    /// What the quote has to carry, where the protocol binds nonce and keys in its own way.
    let qualifyingData: [UInt8]?

    /// A request.
    init(
        kind: LedgerEntry.Kind, challenge: Challenge, challengeDigest: [UInt8], body: [UInt8], audience: [String],
        requester: String?, form: EvidenceForm = .carnet, qualifyingData: [UInt8]? = nil
    ) {
        self.kind = kind
        self.challenge = challenge
        self.challengeDigest = challengeDigest
        self.body = body
        evidenceDigest = HashAlgorithm.sha256.hash(body)
        self.audience = audience
        self.requester = requester
        self.form = form
        self.qualifyingData = qualifyingData
    }

    /// Authenticates what came, by the rule of its protocol.
    func authenticate(
        _ quote: UnverifiedQuote, by key: AttestationKey, after previous: BootCounters?
    ) -> Authentication {
        guard let qualifyingData else { return quote.authenticate(by: key, answering: challenge, after: previous) }
        return quote.authenticate(by: key, answering: challenge, after: previous, expecting: qualifyingData)
    }

    /// A ledger entry about this request.
    func entry(
        _ outcome: LedgerEntry.Outcome, node: Node? = nil, policyDigest: [UInt8]? = nil, tokenID: String? = nil,
        findings: [Finding], particulars: LedgerEntry.Particulars = .init(), at time: Int64
    ) -> LedgerEntry {
        LedgerEntry(
            time: time, kind: kind, challengeDigest: challengeDigest,
            challengeExpiresAt: kind == .passport ? challenge.expiresAt : nil, requester: requester, nodeID: node?.id,
            outcome: outcome, policyDigest: policyDigest, evidenceDigest: evidenceDigest, tokenID: tokenID,
            findings: JSONWriter.findings(findings), particulars: particulars)
    }
}
