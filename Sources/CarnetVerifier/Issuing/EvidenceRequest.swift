import CarnetEvidence
import StrictEncoding

/// Evidence that somebody sent, and what it has to answer.
struct EvidenceRequest: Sendable {
    /// Which call.
    let kind: LedgerEntry.Kind
    /// What the evidence answers.
    let challenge: Challenge
    /// What the ledger consumes.
    let challengeDigest: [UInt8]
    /// SHA-256 of the evidence as it arrived.
    let evidenceDigest: [UInt8]
    /// `aud` of the token.
    let audience: [String]
    /// The identifier of the API token that asks.
    let requester: String?

    /// A ledger entry about this request.
    func entry(
        _ outcome: LedgerEntry.Outcome, node: Node? = nil, policyDigest: [UInt8]? = nil, tokenID: String? = nil,
        findings: [Finding], at time: Int64
    ) -> LedgerEntry {
        LedgerEntry(
            time: time, kind: kind, challengeDigest: challengeDigest,
            challengeExpiresAt: kind == .passport ? challenge.expiresAt : nil, requester: requester, nodeID: node?.id,
            outcome: outcome, policyDigest: policyDigest, evidenceDigest: evidenceDigest, tokenID: tokenID,
            findings: JSONWriter.findings(findings))
    }
}
