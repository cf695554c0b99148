public import CarnetService
public import CarnetStorage

extension StorageError: ProblemConvertible {
    /// A database that cannot be read or written is nobody's verdict: 503, and the caller tries again.
    public var problem: Problem {
        if outcomeIsUnknown {
            return .unavailable(
                "The database did not answer: what was asked may have been done. Look before you ask again.",
                cause: reason)
        }
        return switch code {
        case .unavailable: .unavailable("The database cannot be used now.", cause: reason)
        case .conflict: .conflict("conflict", title: "Already there", "Another record has this name or key.")
        case .refused, .unexpectedValue, .schemaMismatch:
            .unavailable("The database cannot be used.", retryAfter: 60, cause: reason)
        }
    }
}
