import Synchronization

/// What clients were told, whatever happened to the verifier afterwards.
final class Acknowledgements: Sendable {
    /// Everything that was acknowledged.
    struct Content: Sendable {
        /// Identifiers of machines.
        var machines: Set<String> = []
        /// Passports by their identifier.
        var passports: [String: [UInt8]] = [:]
        /// Identifiers of passports by the challenge that they answer.
        var answers: [[UInt8]: Set<String>] = [:]
        /// Identifiers of passports that were withdrawn.
        var withdrawn: Set<String> = []
        /// Identifiers of passports that somebody tried to withdraw.
        var tried: Set<String> = []
        /// Calls that nobody answered, or not as they should be.
        var failureCount = 0
        /// Answers that no verifier may give.
        var faults: [String] = []
        /// The identifier of the newest passport: old ones have expired, and cannot be withdrawn.
        var newest: String?
    }

    private let content = Mutex(Content())

    /// All of it.
    var now: Content { content.withLock { $0 } }

    /// Adds something.
    func add(_ change: @Sendable (inout Content) -> Void) { content.withLock { change(&$0) } }
}
