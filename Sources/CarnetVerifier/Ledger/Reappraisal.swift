import CarnetRecords
import CarnetAppraisal
import CarnetEvidence
import CarnetLedger
import CarnetResult
import CarnetService
import CarnetStorage
import Cryptography
import StrictEncoding

/// Reaches a recorded verdict again: the kept evidence, under the policy of then, by the clock of then.
struct Reappraisal: Sendable {
    let ledger: Ledger
    let nodes: NodeStore
    let policies: PolicyStore
    let references: ReferenceSetStore
    let templates: PCRTemplateStore

    /// What came of it.
    struct Outcome: Sendable {
        let place: LedgerPlace
        let node: String
        /// The clock of then, in seconds since 1970.
        let time: Int64
        let policyDigest: [UInt8]?
        /// What the ledger recorded, as JSON.
        let recorded: [UInt8]
        /// What comes out today, as JSON.
        let reached: [UInt8]
        /// What is not as it was: `entry`, `evidence`, `inputs`, `verdict`. Empty when everything is, byte for byte.
        let differences: [String]
    }

    /// - Throws: ``Problem``: 404 when there is no such appraisal, 409 when what it depended on is not kept any more.
    func run(_ place: LedgerPlace) async throws -> Outcome {
        guard let (record, hash) = try await ledger.entry(place), LedgerEntry.eventKinds.contains(record.kind),
            let recorded = LedgerEntry.verdict(inBody: record.body)
        else { throw Problem.notFound("There is no appraisal with this identifier.") }
        guard let id = record.subject, let node = try await nodes.node(id),
            let (stored, _) = try await StoredEvidence.of(id, in: ledger.database), stored.place == place,
            let inputs = stored.inputs
        else {
            throw Self.notKept(
                "Its evidence is not kept: of each machine the last authentic evidence is, up to 8 MiB, until it is removed."
            )
        }
        let body = try? JSONDocument(
            parsing: record.body, maximumByteCount: LedgerEntryRecord.maximumBodyByteCount, maximumDepth: 8
        ).root
        func digest(_ node: JSONNode?) -> [UInt8]? { node?.string.flatMap { Hexadecimal.decode($0) } }
        let policyDigest = digest(body?["verdict"]?["policy_sha256"])
        let outcome = try await appraise(stored, inputs, of: node, under: policyDigest)
        let reached = outcome.verdict(policyDigest)
        var differences: [String] = []
        if record.hash != hash { differences.append("entry") }
        let kept = HashAlgorithm.sha256.hash(stored.bytes)
        let arrived = inputs.call == .passport ? digest(body?["evidence_sha256"]) : kept
        if kept != inputs.evidence || kept != arrived { differences.append("evidence") }
        if digest(body?["inputs_sha256"]) != HashAlgorithm.sha256.hash(inputs.bytes) { differences.append("inputs") }
        if reached != recorded { differences.append("verdict") }
        return Outcome(
            place: place, node: id, time: inputs.time, policyDigest: policyDigest, recorded: recorded, reached: reached,
            differences: differences)
    }

    private func appraise(
        _ stored: StoredEvidence, _ inputs: AppraisalInputs, of node: Node, under policyDigest: [UInt8]?
    ) async throws -> AppraisalOutcome {
        var policy: Policy?
        if let policyDigest {
            guard let record = try await policies.policy(policyDigest),
                let found = try? await references.resolve(Policy(parsing: record.text)), found.digest == policyDigest
            else { throw Self.notKept("The policy that judged it cannot be read.") }
            guard found.missingReferences.isEmpty else {
                throw Self.notKept("A reference set that the policy names was removed: push it again.")
            }
            policy = found
        }
        guard let templates = try await templates.templates(inputs.templates) else {
            throw Self.notKept("A PCR template of that time is gone.")
        }
        let quote: AuthenticatedQuote?
        do {
            quote = try stored.authenticateAsItCame(by: node.identity)
        } catch {
            throw Self.notKept("The kept evidence cannot be read: \(error).")
        }
        // What was not authentic was never kept: no finding of the ledger is like this one.
        guard let quote, inputs.previous.map({ quote.counters.canFollow($0) }) ?? true else {
            return .broken([.notAuthentic])
        }
        return inputs.form.appraise(
            quote, by: Appraiser(policy: policy, templates: templates), at: inputs.time, ima: inputs.checkpoint)
    }

    private static func notKept(_ detail: String) -> Problem {
        .conflict("not-kept", title: "The appraisal cannot be done again", detail)
    }
}

extension Finding {
    fileprivate static let notAuthentic = Finding(
        .brokenEvidenceChain, rule: "kept-evidence", "The kept evidence is not authentic any more",
        remedy: "Find out who changed the database")
}

extension AppraisalOutcome {
    /// The bytes that the ledger records of it.
    fileprivate func verdict(_ policyDigest: [UInt8]?) -> [UInt8] {
        let outcome: LedgerEntry.Outcome =
            switch self {
            case .verdict(let verdict): LedgerEntry.Outcome(verdict.status)
            case .broken: .failed
            }
        return LedgerEntry(
            time: 0, kind: .passport, challengeDigest: [], requester: nil, nodeID: nil, outcome: outcome,
            policyDigest: policyDigest, evidenceDigest: [], tokenID: nil, findings: JSONWriter.findings(findings),
            particulars: LedgerEntry.Particulars(self)
        ).verdict
    }
}
