package import CarnetRecords
package import ArgumentParser
import CarnetServeOptions
import CarnetCommandLine
import CarnetService
package import CarnetStorage
import CarnetLedger
import Foundation

/// Where a verifier's state is: the settings of every command that works on it.
package struct StateOptions: ParsableArguments {
    @Option(help: "The folder for everything that lasts. It is made when it is missing.")
    package var data: String

    @Option(
        help: ArgumentHelp(
            "Where everything that lasts is, if not in the data directory: sqlite:PATH or postgresql://...",
            valueName: "address"))
    package var database: DatabaseText?

    @Option(
        help: ArgumentHelp(
            "This service's chain in the ledger; by default a random name, kept in the data directory.",
            valueName: "name"))
    package var ledgerChain: String?

    package init() {}

    /// Whether the state can be where they say; nothing is made or opened.
    package func check() throws {
        _ = try database?.address()
        guard let ledgerChain, !LedgerEntryRecord.isChainName(ledgerChain) else { return }
        throw ValidationError(
            "--ledger-chain \(ledgerChain) is not a name of 1 to 64 letters, digits, dots, dashes and underscores")
    }

    /// The ledger, in a database that has the schema of this program, and where that is.
    ///
    /// - Parameter existing: Whether a file of SQLite has to be there already.
    /// - Throws: ``Failure`` where the folder is of a service whose state is not in it, and nothing says where: an empty database beside
    ///   the real one would take whatever is written, and nobody would ever read it.
    package func ledger(
        of program: any ServiceProgram.Type, in directory: DataDirectory, existing: Bool = false
    ) async throws -> (Ledger, DatabaseAddress) {
        if database == nil, directory.isWithoutDatabase {
            throw Failure(
                .refused,
                "The \(program.service) of \(directory.path) keeps its state elsewhere. Say where as its own settings do: --database, "
                    + "\(program.variables)DATABASE, or the file of --config.")
        }
        let address = try database?.address() ?? .sqlite(path: directory.database)
        if existing, case .sqlite(let path) = address, access(path, F_OK) != 0 {
            throw ServiceStartError.unreadable(path, String(cString: strerror(errno)))
        }
        let database = try await address.open(timeout: 5, maximumConnectionCount: 1)
        let steps = try await database.migrate(program.migrations, now: WallClock.system.now)
        // A slip in the place would pass unseen: what is written there no running service reads.
        if steps.count == program.migrations.count {
            Output.aside(
                "This is a new database, made now: \(address). Where the \(program.service) has one already, this is not it: look at --data and --database."
            )
        }
        return (
            try Ledger.open(database, chain: ledgerChain, nameFile: directory.ledgerChain, form: program.form), address
        )
    }
}
