/// Why the database did not do what it was asked. Two errors are equal when their codes are.
public struct StorageError: Error, Equatable, CustomStringConvertible {
    /// What a caller may branch on.
    public enum Code: Sendable, Hashable {
        /// The database cannot be reached, opened, read or written now: locked, full, read-only, broken. Nothing was
        /// changed, unless ``StorageError/outcomeIsUnknown``; the same call may succeed later.
        case unavailable
        /// A row that has to be unique exists already. Nothing was changed.
        case conflict
        /// A statement that the engine does not accept, or another of its constraints.
        case refused
        /// A row without a column, or with a value of another kind than the program expects.
        case unexpectedValue
        /// The schema was written by a newer program, or a migration changed after it was applied.
        case schemaMismatch
    }

    /// What went wrong.
    public let code: Code
    /// A sentence for the operator. It names tables and files, never values.
    public let reason: String

    /// Whether the transaction may have been committed all the same: the connection was lost between the commit and its
    /// answer. It was committed whole or not at all. Whoever asked is told that it failed, and looks before repeating what
    /// must not happen twice; no caller may take it for a success.
    public let outcomeIsUnknown: Bool

    /// An error with its reason.
    public init(_ code: Code, _ reason: String, outcomeIsUnknown: Bool = false) {
        self.code = code
        self.reason = reason
        self.outcomeIsUnknown = outcomeIsUnknown
    }

    /// The reason.
    public var description: String { reason }

    /// Whether the codes are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
