import CarnetAppraisal
import CarnetService
import Synchronization
import TPM2

/// The policy that appraisals follow now. The database says which, so all replicas follow the same; its text is read once.
package final class ActivePolicy: Sendable {
    /// What is quoted while there is no policy: enough to tell machines apart, and never enough to affirm one.
    static let selectionWithoutPolicy = TPM.PCRSelectionList(bank: .sha256, indices: 0..<8)

    private let store: PolicyStore
    private let last = Mutex<Policy?>(nil)

    /// The active one of the policies in `store`.
    package init(_ store: PolicyStore) { self.store = store }

    /// The policy, or `nil` when none was ever activated.
    ///
    /// - Throws: ``Problem`` when the stored text is no policy: a check that cannot run has failed.
    func current() async throws -> Policy? {
        guard let record = try await store.active() else { return nil }
        if let last = last.withLock({ $0 }), last.digest == record.digest { return last }
        do {
            let policy = try Policy(parsing: record.text)
            guard policy.digest == record.digest else {
                throw Problem.unavailable(
                    "The active policy cannot be used.", cause: "the policy's digest does not match")
            }
            last.withLock { $0 = policy }
            return policy
        } catch let error as PolicyError {
            throw Problem.unavailable("The active policy cannot be used.", retryAfter: 60, cause: "\(error)")
        }
    }
}
