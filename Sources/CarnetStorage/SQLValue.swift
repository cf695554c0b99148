/// A value in a statement or a row. Four kinds are enough for Carnet and mean the same to every engine.
public enum SQLValue: Sendable, Hashable {
    /// No value.
    case null
    /// A 64-bit integer: counters, and times in seconds since 1970-01-01T00:00:00Z. Column type BIGINT.
    case integer(Int64)
    /// Unicode text without NUL. Column type TEXT.
    case text(String)
    /// Any bytes. Column type BYTEA.
    case bytes([UInt8])

    /// What the value is, in a word for an error message.
    var kind: String {
        switch self {
        case .null: "null"
        case .integer: "an integer"
        case .text: "text"
        case .bytes: "bytes"
        }
    }
}
