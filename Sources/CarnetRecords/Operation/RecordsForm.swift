package import CarnetStorage

/// What a service keeps besides what every service keeps.
package struct RecordsForm: Sendable {
    /// What else happens in the transaction of an entry.
    package typealias Note =
        @Sendable (
            _ event: LedgerEvent, _ place: LedgerPlace, _ now: Int64, _ connection: any SQLConnection
        ) throws -> Void

    /// The service's program, in a message: `carnet-verifier`.
    let program: String
    /// Whether the database has entries of the ledger's first form: the table `appraisals`.
    let hasFirstForm: Bool
    let note: Note
    /// Every table that holds keys.
    package let wrappedTables: [WrappedTable]

    /// A form.
    ///
    /// - Parameters:
    ///   - program: The service's program, as `carnet-verifier`.
    ///   - wrappedTables: The service's own tables that hold keys.
    package init(
        program: String = "carnet-verifier", hasFirstForm: Bool = false, wrappedTables: [WrappedTable] = [],
        note: @escaping Note = { _, _, _, _ in }
    ) {
        self.program = program
        self.hasFirstForm = hasFirstForm
        self.note = note
        self.wrappedTables = WrappedTable.all(wrappedTables)
    }
}
