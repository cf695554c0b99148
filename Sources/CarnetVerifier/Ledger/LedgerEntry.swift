import CarnetEvidence
import CarnetStorage
import Cryptography

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

    /// Which call made an entry.
    package enum Kind: String, Sendable, Hashable {
        /// A machine asked for its passport.
        case passport
        /// A relying party asked about a machine.
        case backgroundCheck = "background-check"
        /// An operator ended passports early. The evidence's digest is that of the decision; there was no challenge.
        case revocation
        /// A signing key changed its state. The evidence's digest is that of the event; there was no challenge.
        case signingKey = "signing-key"

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
        /// Tokens ended, or a signing key.
        case revoked
        /// A signing key came into its next state.
        case rotated
    }

    /// An entry.
    package init(
        time: Int64, kind: Kind, challengeDigest: [UInt8], challengeExpiresAt: Int64? = nil, requester: String?,
        nodeID: String?, outcome: Outcome,
        policyDigest: [UInt8]?, evidenceDigest: [UInt8], tokenID: String?, findings: [UInt8]
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
    }

    init(row: SQLRow) throws(StorageError) {
        guard let kind = Kind(rawValue: try row.text("kind")), let outcome = Outcome(rawValue: try row.text("outcome"))
        else { throw StorageError(.unexpectedValue, "an appraisal's kind or outcome is unknown") }
        self.init(
            time: try row.integer("time"), kind: kind, challengeDigest: try row.bytes("challenge_digest"),
            requester: try row.optionalText("requester"), nodeID: try row.optionalText("node_id"), outcome: outcome,
            policyDigest: try row.optionalBytes("policy_digest"), evidenceDigest: try row.bytes("evidence_digest"),
            tokenID: try row.optionalText("token_id"), findings: try row.bytes("findings"))
    }

    /// The hash that the writer's next entry repeats: over this entry's place, all its members, and the entry before it.
    /// Each member is preceded by its length, so that no two entries have the same encoding.
    func hash(writer: String, number: Int64, previous: [UInt8]) -> [UInt8] {
        var digest = IncrementalHash(.sha256)
        func add(_ bytes: [UInt8]?) {
            let count = bytes.map { Int64($0.count) } ?? -1
            digest.update(withUnsafeBytes(of: count.bigEndian) { Array($0) })
            if let bytes { digest.update(bytes) }
        }
        func add(_ text: String?) { add(text.map { Array($0.utf8) }) }
        add("carnet/ledger/v1")
        add(writer)
        add(String(number))
        add(previous)
        add(String(time))
        add(kind.rawValue)
        add(challengeDigest)
        add(requester)
        add(nodeID)
        add(outcome.rawValue)
        add(policyDigest)
        add(evidenceDigest)
        add(tokenID)
        add(findings)
        return digest.finalize()
    }
}
