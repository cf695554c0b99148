/// One statement with its values, written as a string in which every interpolation becomes a parameter.
///
///     let statement: SQL = "SELECT name FROM nodes WHERE id = \(id)"
///
/// Nothing that is interpolated reaches the text, so no value can be mistaken for SQL. Parameters are numbered `$1`, `$2`…,
/// which SQLite and PostgreSQL both read. Statements keep to what both engines understand: BIGINT, TEXT and BYTEA columns,
/// `INSERT … ON CONFLICT`, `RETURNING`, `LIMIT`, window functions of the standard; no engine's own functions.
public struct SQL: Sendable, Hashable, ExpressibleByStringInterpolation {
    /// The statement's text, with `$n` for its values.
    public let text: String
    /// The values, the first for `$1`.
    public let arguments: [SQLValue]

    /// A statement without values.
    public init(stringLiteral text: String) {
        self.text = text
        arguments = []
    }

    /// A statement with its values.
    public init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
        arguments = stringInterpolation.arguments
    }

    /// Collects text and values.
    public struct StringInterpolation: StringInterpolationProtocol {
        var text = ""
        var arguments: [SQLValue] = []

        /// An empty statement.
        public init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 2)
            arguments.reserveCapacity(interpolationCount)
        }

        /// Adds a part of the statement's own text.
        public mutating func appendLiteral(_ literal: String) { text += literal }

        /// Adds a value of any kind.
        public mutating func appendInterpolation(_ value: SQLValue) {
            arguments.append(value)
            text += "$\(arguments.count)"
        }

        /// Adds text, or null.
        public mutating func appendInterpolation(_ value: String?) {
            appendInterpolation(value.map(SQLValue.text) ?? .null)
        }

        /// Adds bytes, or null.
        public mutating func appendInterpolation(_ value: [UInt8]?) {
            appendInterpolation(value.map(SQLValue.bytes) ?? .null)
        }

        /// Adds an integer, or null.
        public mutating func appendInterpolation(_ value: Int64?) {
            appendInterpolation(value.map(SQLValue.integer) ?? .null)
        }
    }
}
