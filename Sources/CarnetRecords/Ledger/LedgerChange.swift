package import CarnetStorage

/// What a transaction did, and what the ledger is to keep of it.
package struct LedgerChange<Value: Sendable>: Sendable {
    /// What the transaction answers.
    package let value: Value
    /// What the ledger is to keep.
    package let events: [LedgerEvent]
    /// Whether rows may have changed.
    package let isExplained: Bool

    /// Something happened, and these events tell it.
    package static func recorded(_ value: Value, _ events: LedgerEvent...) -> LedgerChange {
        LedgerChange(value: value, events: events, isExplained: !events.isEmpty)
    }

    /// Something happened, and these events, at least one, tell it.
    package static func recorded(_ value: Value, all events: [LedgerEvent]) -> LedgerChange {
        LedgerChange(value: value, events: events, isExplained: !events.isEmpty)
    }

    /// Nothing happened. The transaction is undone if that is not so.
    package static func nothing(_ value: Value) -> LedgerChange {
        LedgerChange(value: value, events: [], isExplained: false)
    }

    /// Rows changed that decide about nothing: what ran out was cleared, or what anybody can repeat was told a moment ago.
    package static func unremarkable(_ value: Value) -> LedgerChange {
        LedgerChange(value: value, events: [], isExplained: true)
    }
}

/// A connection that counts the rows that were changed through it.
package final class WatchedConnection: SQLConnection {
    private let base: any SQLConnection
    private(set) var changedRowCount = 0

    package init(_ base: any SQLConnection) { self.base = base }

    package func execute(_ statement: SQL) throws(StorageError) -> Int {
        let count = try base.execute(statement)
        changedRowCount += count
        return count
    }

    package func rows(_ query: SQL) throws(StorageError) -> [SQLRow] { try base.rows(query) }
}
