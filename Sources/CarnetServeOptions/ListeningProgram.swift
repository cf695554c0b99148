/// A program that listens, as its settings and its help know it.
package protocol ListeningProgram: Sendable {
    /// What it is called, as `carnet-verifier`.
    static var name: String { get }
    /// What the service is called in a sentence, as `verifier`.
    static var service: String { get }
    /// Where it listens unless it is told otherwise: an address and a port.
    static var listen: String { get }
    /// What the names of its variables begin with, as `CARNET_VERIFIER_`.
    static var variables: String { get }
}
