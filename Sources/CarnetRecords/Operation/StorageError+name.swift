package import CarnetStorage

extension StorageError.Code {
    /// All of them.
    package static let allCases: [Self] = [.unavailable, .conflict, .refused, .unexpectedValue, .schemaMismatch]

    /// The code as metrics spell it.
    package var name: String {
        switch self {
        case .unavailable: "unavailable"
        case .conflict: "conflict"
        case .refused: "refused"
        case .unexpectedValue: "unexpected-value"
        case .schemaMismatch: "schema-mismatch"
        }
    }
}
