import ArgumentParser
import CarnetCommandLine
import CarnetService
import CarnetStorage
import CarnetVerifier

struct RewrapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewrap",
        abstract: "Put the keys in the database under another key-encryption key. Nothing else changes.",
        discussion: """
            EXAMPLES
              A new key in a new file, which is made:
                carnet-verifier rewrap --data /var/lib/carnet \\
                    --key-encryption-key old --new-key-encryption-key new
              From a file to this machine's TPM:
                carnet-agent kek seal --out kek.sealed
                carnet-verifier rewrap --data /var/lib/carnet \\
                    --new-key-encryption-key-command 'carnet-agent kek unseal kek.sealed'

            Stop the verifiers first and start them with the new key. One that
            runs on goes on signing, and makes no new keys. It is done in one
            transaction: when it fails, the old key still opens everything.
            Destroy the old key afterwards: old copies of the database open
            with it.
            """)

    @Option(help: "The verifier's folder.")
    var data: String

    @Option(help: ArgumentHelp("Where the verifiers keep their state, if not in that folder.", valueName: "address"))
    var database: String?

    @OptionGroup var old: KeyEncryptionKeyOptions

    @Option(help: ArgumentHelp("The new key's file; made when it is missing.", valueName: "file"))
    var newKeyEncryptionKey: String?

    @Option(help: ArgumentHelp("The variable of the environment that holds it.", valueName: "name"))
    var newKeyEncryptionKeyEnvironment: String?

    @Option(help: ArgumentHelp("What prints it, run by /bin/sh.", valueName: "command"))
    var newKeyEncryptionKeyCommand: String?

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let keys: Int
        let keyEncryptionKey: String
    }

    func validate() throws {
        _ = try newSource
        _ = try place
    }

    private var place: DatabaseAddress? {
        get throws {
            // Not read by the option itself: the message about a wrong one would repeat it, and the password in it.
            do { return try database.map(DatabaseAddress.init(parsing:)) } catch {
                throw ValidationError("--database: \(error)")
            }
        }
    }

    private var newSource: KeyEncryptionKeySource {
        get throws {
            let sources: [KeyEncryptionKeySource?] = [
                newKeyEncryptionKey.map { .file($0) }, newKeyEncryptionKeyEnvironment.map { .environment($0) },
                newKeyEncryptionKeyCommand.map { .command($0) },
            ]
            let given = sources.compactMap { $0 }
            guard given.count == 1, let source = given.first else {
                throw ValidationError("Give the new key-encryption key in one way: a file, a variable or a command.")
            }
            return source
        }
    }

    func run() async throws {
        do {
            let directory = try DataDirectory(existing: data)
            let source = old.source ?? .file(directory.keyEncryptionKey)
            guard let key = try source.read() else { throw ServiceStartError.unreadable(source.name, "it is missing") }
            let place = try place ?? .sqlite(path: directory.database)
            let database = try await place.open(timeout: 5, maximumConnectionCount: 1)
            try await database.migrate(Schema.migrations, now: WallClock.system.now)
            let other = try newKey()
            let ledger = try Ledger.open(database, chain: nil, nameFile: directory.ledgerChain)
            let count = try await key.rewrap(ledger, under: other, at: WallClock.system.now)
            if json { return try Output.json(Report(keys: count, keyEncryptionKey: other.identifier)) }
            Output.line("\(count) keys are under the key-encryption key \(other.identifier) now.")
            Output.line("Start the verifiers with it, and destroy the old one.")
        } catch let error as ServiceStartError {
            throw Failure(.refused, error.description)
        } catch let error as StorageError {
            throw Failure(.unreachable, error.description)
        }
    }

    /// The new key; a missing file is made before anything is under it.
    private func newKey() throws -> KeyEncryptionKey {
        let source = try newSource
        if let key = try source.read() { return key }
        guard case .file(let path) = source else { throw ServiceStartError.unreadable(source.name, "it is missing") }
        return try KeyEncryptionKey.create(path)
    }
}
