package import CarnetRecords
import CarnetEvidence
import CarnetStorage

/// One appraisal, as it is recorded. It holds digests, never a nonce, evidence or a token.
package struct LedgerEntry: Sendable, Hashable {
    /// When, in seconds since 1970.
    package let time: Int64
    /// Which call.
    package let kind: Kind
    /// SHA-256 over the challenge, unique: a second row with it cannot exist.
    package let challengeDigest: [UInt8]
    /// When the challenge would have run out, in seconds since 1970; `nil` for one that does not. It is no part of the record.
    package let challengeExpiresAt: Int64?
    /// The identifier of the API token that asked, for a background check.
    package let requester: String?
    /// The machine, when its attestation key is known.
    package let nodeID: String?
    /// What came out.
    package let outcome: Outcome
    /// SHA-256 of the policy's text, when there was one.
    package let policyDigest: [UInt8]?
    /// SHA-256 of the evidence as it arrived.
    package let evidenceDigest: [UInt8]
    /// `jti` of the token that was signed afterwards.
    package let tokenID: String?
    /// The findings, as JSON.
    package let findings: [UInt8]
    /// What the ledger's first form did not keep.
    package let particulars: Particulars

    /// Where it stands; `nil` before it was written, and in the ledger's first form.
    package private(set) var place: LedgerPlace?

    /// More about an appraisal.
    package struct Particulars: Sendable, Hashable {
        /// The policy's identifier with its digest.
        package var policyID: String?
        /// How deep the appraisal went.
        package var depth: String?
        /// The trustworthiness vector, claim by claim.
        package var vector: [String: Int64] = [:]
        /// The templates that the machine holds.
        package var templates: [String] = []
        /// SHA-256 of ``AppraisalInputs``.
        package var inputsDigest: [UInt8]?
        /// When the token expires, in seconds since 1970.
        package var tokenExpiresAt: Int64?
        /// The `kid` of the key that signs the token.
        package var tokenKeyID: String?

        /// Nothing more.
        package init() {}
    }

    /// Which call made an entry.
    package enum Kind: String, Sendable, Hashable {
        /// A machine asked for its passport.
        case passport
        /// A relying party asked about a machine.
        case backgroundCheck = "background-check"
        /// An operator ended passports early. The evidence's digest is that of the decision; there was no challenge.
        case revocation

        /// The counters from which on a quote is accepted, given the last: evidence of a background check may have waited five minutes.
        func earliest(_ last: BootCounters) -> BootCounters {
            self == .backgroundCheck ? last.allowingDelay(ofMilliseconds: 300_000) : last
        }
    }

    /// What came out of an appraisal.
    package enum Outcome: String, Sendable, Hashable {
        /// The evidence could not be read.
        case unreadable
        /// The chain of evidence is broken; no token.
        case failed
        /// A token with this status: `affirming`.
        case affirming
        /// A token with this status: `warning`.
        case warning
        /// A token with this status: `contraindicated`.
        case contraindicated
        /// A token with this status: `none`.
        case none
        /// Tokens ended.
        case revoked
    }

    /// An entry.
    package init(
        time: Int64, kind: Kind, challengeDigest: [UInt8], challengeExpiresAt: Int64? = nil, requester: String?,
        nodeID: String?, outcome: Outcome,
        policyDigest: [UInt8]?, evidenceDigest: [UInt8], tokenID: String?, findings: [UInt8],
        particulars: Particulars = Particulars()
    ) {
        self.time = time
        self.kind = kind
        self.challengeDigest = challengeDigest
        self.challengeExpiresAt = challengeExpiresAt
        self.requester = requester
        self.nodeID = nodeID
        self.outcome = outcome
        self.policyDigest = policyDigest
        self.evidenceDigest = evidenceDigest
        self.tokenID = tokenID
        self.findings = findings
        self.particulars = particulars
    }

    /// The same entry at its place.
    func standing(at place: LedgerPlace) -> LedgerEntry {
        var entry = self
        entry.place = place
        return entry
    }

    /// Reads an entry of the ledger's first form.
    init(olderRow row: SQLRow) throws(StorageError) {
        guard let kind = Kind(rawValue: try row.text("kind")), let outcome = Outcome(rawValue: try row.text("outcome"))
        else { throw StorageError(.unexpectedValue, "an appraisal's kind or outcome is unknown") }
        self.init(
            time: try row.integer("time"), kind: kind, challengeDigest: try row.bytes("challenge_digest"),
            requester: try row.optionalText("requester"), nodeID: try row.optionalText("node_id"), outcome: outcome,
            policyDigest: try row.optionalBytes("policy_digest"), evidenceDigest: try row.bytes("evidence_digest"),
            tokenID: try row.optionalText("token_id"), findings: try row.bytes("findings"))
    }
}
