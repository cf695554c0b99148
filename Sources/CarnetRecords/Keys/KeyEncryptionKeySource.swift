package import CarnetService
import Foundation

/// Where the key-encryption key comes from. Each gives one line: 32 bytes in base64url.
package enum KeyEncryptionKeySource: Sendable, Hashable {
    /// A file that nobody but its owner may read.
    case file(String)
    /// A variable of the environment.
    case environment(String)
    /// What a command prints: one that asks a TPM, a token or a vault. It is run by `/bin/sh -c`, once at each start.
    case command(String)

    /// What it is called in a message.
    package var name: String {
        switch self {
        case .file(let path): path
        case .environment(let name): "the variable \(name)"
        case .command(let command): "what `\(command)` prints"
        }
    }

    /// The key.
    ///
    /// - Returns: `nil` when there is no such file.
    /// - Throws: ``ServiceStartError`` when the file can be read by others, a variable is not set, a command fails, or what is there
    ///   is no key.
    package func read() throws(ServiceStartError) -> KeyEncryptionKey? {
        let line: [UInt8]
        switch self {
        case .file(let path): return try KeyEncryptionKey.read(path)
        case .environment(let name):
            guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
                throw .unreadable(self.name, "it is not set")
            }
            line = Array(value.utf8.prefix(257))
        case .command(let command):
            line = try KeyCommand(command).output()
        }
        guard line.count <= 256, let key = KeyEncryptionKey(line: line) else {
            throw .unreadable(name, "it does not hold 32 bytes in base64url")
        }
        return key
    }
}
