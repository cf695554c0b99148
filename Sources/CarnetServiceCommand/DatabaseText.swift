import ArgumentParser
import CarnetCommandLine
package import CarnetStorage

/// The address of a database as it was said. Not read by the option itself: the message about a wrong one would repeat it, and the
/// password in it.
package struct DatabaseText: ConcealedSetting {
    private let text: String

    package init?(argument: String) { text = argument }

    /// Nothing of it, for a message that shows defaults.
    package var defaultValueDescription: String { "" }

    /// User, hosts and database of an address that can be read.
    package var harmlessText: String? { try? DatabaseAddress(parsing: text).description }

    package var holdsSecret: Bool { (try? DatabaseAddress(parsing: text).holdsPassword) ?? true }

    /// The address.
    ///
    /// - Throws: `ValidationError`, which does not repeat it.
    package func address() throws -> DatabaseAddress {
        do { return try DatabaseAddress(parsing: text) } catch { throw ValidationError("--database: \(error)") }
    }
}
