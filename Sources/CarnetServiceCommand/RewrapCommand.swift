import CarnetRecords
package import ArgumentParser
import CarnetServeOptions
import CarnetCommandLine
import CarnetService
import CarnetStorage

package struct RewrapCommand<Program: ServiceProgram>: AsyncParsableCommand, AlternativeSettings {
    package static var alternatives: [Set<String>] { [KeyEncryptionKeyOptions.names] }
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "rewrap",
            abstract: "Put the keys in the database under another key-encryption key. Nothing else changes.",
            discussion: """
                EXAMPLES
                  A new key in a new file, which is made:
                    \(Program.name) rewrap --config /etc/carnet/\(Program.service).yaml \\
                        --key-encryption-key old --new-key-encryption-key new
                  From a file to this machine's TPM:
                    carnet-agent kek seal --out kek.sealed
                    \(Program.name) rewrap --data /var/lib/carnet \\
                        --new-key-encryption-key-command 'carnet-agent kek unseal kek.sealed'

                State and old key are settings of the \(Program.service), and come from the
                same places: the flag, the variable \(Program.variables)..., the file.

                Stop the \(Program.service)s first and start them with the new key. One that
                runs on goes on signing, and makes no new keys. It is done in one
                transaction: when it fails, the old key still opens everything.
                Destroy the old key afterwards: old copies of the database open
                with it.
                """)
    }

    @OptionGroup var state: StateOptions

    @OptionGroup var old: KeyEncryptionKeyOptions

    @Option(help: ArgumentHelp("The new key's file; made when it is missing.", valueName: "file"))
    var newKeyEncryptionKey: String?

    @Option(help: ArgumentHelp("The variable of the environment that holds it.", valueName: "name"))
    var newKeyEncryptionKeyEnvironment: String?

    @Option(help: ArgumentHelp("What prints it, run by /bin/sh.", valueName: "command"))
    var newKeyEncryptionKeyCommand: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup(title: "Configuration") var configurationFile: ConfigurationFileOption

    struct Report: Encodable {
        let keys: Int
        let keyEncryptionKey: String
    }

    package init() {}

    package func validate() throws { _ = try newSource }

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

    package func run() async throws {
        do {
            try state.check()
            let directory = try DataDirectory(existing: state.data)
            let source = old.source ?? .file(directory.keyEncryptionKey)
            guard let key = try source.read() else { throw ServiceStartError.unreadable(source.name, "it is missing") }
            let (ledger, _) = try await state.ledger(of: Program.self, in: directory, existing: true),
                other = try newKey()
            let count = try await key.rewrap(ledger, under: other, at: WallClock.system.now)
            if json { return try Output.json(Report(keys: count, keyEncryptionKey: other.identifier)) }
            Output.line("\(count) keys are under the key-encryption key \(other.identifier) now.")
            Output.line("Start the \(Program.service)s with it, and destroy the old one.")
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
