import ArgumentParser
import CarnetCommandLine
import CarnetService
import CarnetStorage
import CarnetVerifier
import Foundation

/// Where a verifier's state is: the settings of every command that works on it.
struct StateOptions: ParsableArguments {
    @Option(help: "The folder for everything that lasts. It is made when it is missing.")
    var data: String

    @Option(
        help: ArgumentHelp(
            "Where everything that lasts is, if not in the data directory: sqlite:PATH or postgresql://...",
            valueName: "address"))
    var database: DatabaseText?

    @Option(
        help: ArgumentHelp(
            "This verifier's chain in the ledger; by default a random name, kept in the data directory.",
            valueName: "name"))
    var ledgerChain: String?

    /// Whether the state can be where they say; nothing is made or opened.
    func check() throws {
        _ = try database?.address()
        do { try VerifierConfiguration.check(ledgerChain: ledgerChain) } catch {
            throw ValidationError(error.description)
        }
    }

    /// The ledger, in a database that has the schema of this program, and where that is.
    ///
    /// - Parameter existing: Whether a file of SQLite has to be there already.
    /// - Throws: ``Failure`` where the folder is of a verifier whose state is not in it, and nothing says where: an empty database beside
    ///   the real one would take whatever is written, and nobody would ever read it.
    func ledger(in directory: DataDirectory, existing: Bool = false) async throws -> (Ledger, DatabaseAddress) {
        if database == nil, directory.isWithoutDatabase {
            throw Failure(
                .refused,
                "The verifier of \(directory.path) keeps its state elsewhere. Say where as its own settings do: --database, "
                    + "CARNET_VERIFIER_DATABASE, or the file of --config.")
        }
        let address = try database?.address() ?? .sqlite(path: directory.database)
        if existing, case .sqlite(let path) = address, access(path, F_OK) != 0 {
            throw ServiceStartError.unreadable(path, String(cString: strerror(errno)))
        }
        let database = try await address.open(timeout: 5, maximumConnectionCount: 1)
        try await database.migrate(Schema.migrations, now: WallClock.system.now)
        return (try Ledger.open(database, chain: ledgerChain, nameFile: directory.ledgerChain), address)
    }
}
