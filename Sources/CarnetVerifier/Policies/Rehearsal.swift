import CarnetRecords
import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetStorage

/// Tries a policy on what every machine sent last, before it decides about any of them.
struct Rehearsal: Sendable {
    let nodes: NodeStore
    let policy: ActivePolicy
    let database: any SQLDatabase
    let clock: WallClock

    /// What would become of the fleet.
    struct Outcome: Sendable {
        let policy: Policy
        let nodes: [Fate]
        /// Approved machines that the policy is for, and that sent nothing yet.
        let withoutEvidence: [String]
    }

    /// One machine under the present policy and under the new one.
    struct Fate: Sendable {
        let id: String
        let name: String
        let appraisedAt: Int64
        /// The tier of the result, or `failed` where there would be none.
        let before: String
        let after: String
        /// Under the new policy.
        let findings: [Finding]
    }

    /// Every machine by name, a page at a time: their keys are read where they are needed.
    private func forEachNode(_ body: (NodeSummary) async throws -> Void) async throws {
        var request: PageRequest? = PageRequest()
        while let page = request {
            let list = try await nodes.list(page)
            for node in list.elements { try await body(node) }
            request = list.next.map { PageRequest(after: $0) }
        }
    }

    func run(_ candidate: Policy) async throws -> Outcome {
        var fates: [Fate] = [], withoutEvidence: [String] = []
        try await forEachNode { summary in
            guard summary.isApproved, candidate.nodes.selects(summary.labels.values),
                let node = try await nodes.node(summary.id)
            else { return }
            guard let (stored, time) = try await StoredEvidence.of(node.id, in: database),
                let quote = try? stored.authenticate(by: node.identity)
            else {
                withoutEvidence.append(node.identity.name)
                return
            }
            let present = try await policy.current(for: node.labels)
            let before = try await policy.appraiser(present).rehearse(quote, at: clock.now)
            let after = try await policy.appraiser(candidate).rehearse(quote, at: clock.now)
            fates.append(
                Fate(
                    id: node.id, name: node.identity.name, appraisedAt: time, before: before.word, after: after.word,
                    findings: after.findings))
        }
        return Outcome(policy: candidate, nodes: fates, withoutEvidence: withoutEvidence)
    }
}

extension AppraisalOutcome {
    /// The tier, or `failed`.
    fileprivate var word: String {
        switch self {
        case .verdict(let verdict): verdict.status.rawValue
        case .broken: "failed"
        }
    }
}
