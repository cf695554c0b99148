package import CarnetRecords
package import CarnetStorage

/// A service's program, as the commands that every service has know it.
package protocol ServiceProgram: Sendable {
    /// What it is called, as `carnet-verifier`.
    static var name: String { get }
    /// What the service is called in a sentence, as `verifier`.
    static var service: String { get }
    /// Where it listens unless it is told otherwise: an address and a port.
    static var listen: String { get }
    /// What the names of its variables begin with, as `CARNET_VERIFIER_`.
    static var variables: String { get }
    /// The steps of its schema.
    static var migrations: [Migration] { get }
    /// What it keeps.
    static var form: RecordsForm { get }
}
