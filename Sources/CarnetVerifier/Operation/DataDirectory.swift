package import CarnetService
import Foundation

/// The folder in which a verifier keeps what must survive a restart.
package struct DataDirectory: Sendable, Hashable {
    /// The folder.
    package let path: String

    /// A folder, created with mode 0700 when it is missing.
    package init(_ path: String) throws(ServiceStartError) {
        self.path = path
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .unwritable(path, String(cString: strerror(errno)))
        }
    }

    /// The database.
    package var database: String { path + "/carnet.sqlite" }
    /// The key that unwraps the keys in the database.
    package var keyEncryptionKey: String { path + "/key-encryption-key" }
    /// The first administrator's API token.
    package var operatorToken: String { path + "/operator-token" }
}
