package import CarnetRecords
package import CarnetStorage

extension Ledger {
    /// The verifier's ledger in `database`.
    ///
    /// - Parameter writer: Names this writer's chain.
    package init(_ database: any SQLDatabase, writer: String = Ledger.defaultWriter) {
        self.init(database, writer: writer, form: .verifier)
    }
}

extension APITokenStore {
    /// The tokens of a verifier's database, with the chain of a writer that has no name of its own.
    package init(_ database: any SQLDatabase, clock: WallClock = .system) { self.init(Ledger(database), clock: clock) }
}
