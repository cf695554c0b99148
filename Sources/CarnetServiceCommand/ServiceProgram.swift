package import CarnetRecords
package import CarnetServeOptions
package import CarnetStorage

/// A service's program that keeps records, as the commands that every such service has know it.
package protocol ServiceProgram: ListeningProgram {
    /// The steps of its schema.
    static var migrations: [Migration] { get }
    /// What it keeps.
    static var form: RecordsForm { get }
}
