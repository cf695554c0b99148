import CarnetRecords
import CarnetAppraisal
import CarnetService
import Synchronization
import TPM2

/// The policies that appraisals follow now. The database says which, so all replicas follow the same; each text is read once.
package final class ActivePolicy: Sendable {
    /// What is quoted while there is no policy: enough to tell machines apart, and never enough to affirm one.
    static let selectionWithoutPolicy = TPM.PCRSelectionList(bank: .sha256, indices: 0..<8)

    private let store: PolicyStore
    private let templates: PCRTemplateStore
    private let references: ReferenceSetStore
    private let known = Mutex<[[UInt8]: Policy]>([:])

    /// The active ones of the policies in `store`, with the templates and the sets of reference values beside them.
    package init(_ store: PolicyStore, _ templates: PCRTemplateStore, _ references: ReferenceSetStore) {
        self.store = store
        self.references = references
        self.templates = templates
    }

    /// An appraiser under a policy, with the templates if it accepts any.
    func appraiser(_ policy: Policy?) async throws -> Appraiser {
        guard let policy, policy.acceptsTemplates else { return Appraiser(policy: policy) }
        return Appraiser(policy: policy, templates: try await templates.list().map(\.template))
    }

    /// The policy for a machine: of the active ones that select it the one that names most labels, and of several the one that was
    /// activated last; `nil` when none selects it.
    ///
    /// - Throws: ``Problem`` when a stored text is no policy: a check that cannot run has failed.
    func current(for labels: NodeLabels = .none) async throws -> Policy? {
        let records = try await store.active()
        var best: Policy?
        for record in records {
            let policy = try await read(record)
            guard policy.nodes.selects(labels.values) else { continue }
            if best.map({ $0.nodes.labels.count < policy.nodes.labels.count }) ?? true { best = policy }
        }
        let digests = Set(records.map(\.digest))
        known.withLock { known in known = known.filter { digests.contains($0.key) } }
        return best
    }

    /// A policy that is not active, with the sets that it names.
    ///
    /// - Throws: ``Problem`` when one of them is not stored.
    func candidate(_ policy: Policy) async throws -> Policy {
        let policy = try await references.resolve(policy)
        try policy.requireReferences()
        return policy
    }

    private func read(_ record: PolicyStore.Record) async throws -> Policy {
        if let policy = known.withLock({ $0[record.digest] }) { return policy }
        do {
            let policy = try await references.resolve(Policy(parsing: record.text))
            guard policy.missingReferences.isEmpty else {
                throw Problem.unavailable(
                    "The active policy cannot be used.", retryAfter: 60, cause: "a reference set that it names is gone")
            }
            guard policy.digest == record.digest else {
                throw Problem.unavailable(
                    "The active policy cannot be used.", cause: "the policy's digest does not match")
            }
            known.withLock { $0[record.digest] = policy }
            return policy
        } catch let error as PolicyError {
            throw Problem.unavailable("The active policy cannot be used.", retryAfter: 60, cause: "\(error)")
        }
    }
}
