/// How a set is written down. One way today; another document format is another case here, and nothing else changes.
public enum ReferenceFormat: String, Sendable, CaseIterable {
    /// Carnet's own document (`Docs/reference-set.schema.json`).
    case json

    /// Reads a whole document.
    ///
    /// - Throws: ``ReferenceSetError``.
    public func parse(_ bytes: [UInt8]) throws(ReferenceSetError) -> ReferenceSet {
        switch self {
        case .json: try ReferenceSet(parsing: bytes)
        }
    }

    /// Writes a set.
    ///
    /// - Throws: ``ReferenceSetError/tooLarge(_:)`` for a document that could not be read again.
    public func write(_ set: ReferenceSet) throws(ReferenceSetError) -> [UInt8] {
        switch self {
        case .json: try set.bytes()
        }
    }
}
