package import ArgumentParser
package import CarnetRecords

/// Where the key-encryption key comes from: one of three.
package struct KeyEncryptionKeyOptions: ParsableArguments {
    /// Their names as settings.
    package static let names: Set = [
        "key-encryption-key", "key-encryption-key-environment", "key-encryption-key-command",
    ]

    @Option(
        help: ArgumentHelp("The key that unwraps the keys in the database; not readable by others.", valueName: "file"))
    package var keyEncryptionKey: String?

    @Option(help: ArgumentHelp("The variable of the environment that holds it.", valueName: "name"))
    package var keyEncryptionKeyEnvironment: String?

    @Option(help: ArgumentHelp("What prints it, run by /bin/sh.", valueName: "command"))
    package var keyEncryptionKeyCommand: String?

    package init() {}

    package func validate() throws {
        guard [keyEncryptionKey, keyEncryptionKeyEnvironment, keyEncryptionKeyCommand].compactMap({ $0 }).count < 2
        else {
            throw ValidationError(
                "Give the key-encryption key in one way: --key-encryption-key, --key-encryption-key-environment or "
                    + "--key-encryption-key-command.")
        }
    }

    /// The source; `nil` for the file in the data directory.
    package var source: KeyEncryptionKeySource? {
        keyEncryptionKey.map { .file($0) } ?? keyEncryptionKeyEnvironment.map { .environment($0) }
            ?? keyEncryptionKeyCommand.map { .command($0) }
    }
}
