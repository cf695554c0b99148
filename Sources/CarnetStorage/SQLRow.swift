/// One row of a query's answer, read by column name and strictly by kind.
public struct SQLRow: Sendable, Hashable {
    private let columns: [String]
    /// The values, in the order of the columns.
    public let values: [SQLValue]

    /// A row. Engines make it; `columns` and `values` have the same count.
    public init(columns: [String], values: [SQLValue]) {
        self.columns = columns
        self.values = values
    }

    /// The value of a column.
    ///
    /// - Throws: ``StorageError/Code/unexpectedValue`` when the row has no such column.
    public func value(_ column: String) throws(StorageError) -> SQLValue {
        guard let index = columns.firstIndex(of: column), index < values.count else {
            throw StorageError(.unexpectedValue, "the answer has no column \(column)")
        }
        return values[index]
    }

    /// Text that must be there.
    public func text(_ column: String) throws(StorageError) -> String {
        guard case .text(let text) = try value(column) else { throw try mismatch(column, "text") }
        return text
    }

    /// Text, or `nil` for null.
    public func optionalText(_ column: String) throws(StorageError) -> String? {
        try value(column) == .null ? nil : try text(column)
    }

    /// Bytes that must be there.
    public func bytes(_ column: String) throws(StorageError) -> [UInt8] {
        guard case .bytes(let bytes) = try value(column) else { throw try mismatch(column, "bytes") }
        return bytes
    }

    /// Bytes, or `nil` for null.
    public func optionalBytes(_ column: String) throws(StorageError) -> [UInt8]? {
        try value(column) == .null ? nil : try bytes(column)
    }

    /// An integer that must be there.
    public func integer(_ column: String) throws(StorageError) -> Int64 {
        guard case .integer(let integer) = try value(column) else { throw try mismatch(column, "an integer") }
        return integer
    }

    /// An integer, or `nil` for null.
    public func optionalInteger(_ column: String) throws(StorageError) -> Int64? {
        try value(column) == .null ? nil : try integer(column)
    }

    private func mismatch(_ column: String, _ expected: String) throws(StorageError) -> StorageError {
        StorageError(.unexpectedValue, "column \(column) holds \(try value(column).kind) where \(expected) is expected")
    }
}
