package import CarnetService
import Foundation

/// The folder in which a verifier keeps what must survive a restart.
package struct DataDirectory: Sendable, Hashable {
    /// The folder.
    package let path: String

    /// A folder, created with mode 0700 when it is missing.
    ///
    /// - Throws: ``ServiceStartError`` when it cannot be made, belongs to another user, or can be changed by others: whoever can put a
    ///   file there could make it the database.
    package init(_ path: String) throws(ServiceStartError) {
        self.path = path
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .unwritable(path, String(cString: strerror(errno)))
        }
        try Self.check(path)
    }

    /// A folder that must be there.
    package init(existing path: String) throws(ServiceStartError) {
        self.path = path
        try Self.check(path)
    }

    /// Whether a verifier that keeps its state elsewhere has used the folder: its own files are there, and no database.
    package var isWithoutDatabase: Bool {
        access(database, F_OK) != 0
            && [ledgerChain, keyEncryptionKey].contains { (path: String) in access(path, F_OK) == 0 }
    }

    /// A folder that is there, or could be made.
    package init(unmade path: String) throws(ServiceStartError) {
        self.path = path
        guard access(path, F_OK) != 0, errno == ENOENT else {
            try Self.check(path)
            return
        }
        let parent = URL(filePath: path).deletingLastPathComponent().path
        guard access(parent, F_OK) == 0 else { throw .unwritable(path, "\(parent) is not there") }
    }

    private static func check(_ path: String) throws(ServiceStartError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .unreadable(path, String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .unreadable(path, "it is not a folder") }
        guard status.st_uid == geteuid() else { throw .foreign(path) }
        guard status.st_mode & 0o022 == 0 else {
            throw .writableByOthers(path, mode: String(status.st_mode & 0o777, radix: 8))
        }
    }

    /// The database.
    package var database: String { path + "/carnet.sqlite" }
    /// The key that unwraps the keys in the database.
    package var keyEncryptionKey: String { path + "/key-encryption-key" }
    /// The name of this verifier's chain in the ledger.
    package var ledgerChain: String { path + "/ledger-chain" }
    /// The last checkpoint of the ledger that this verifier knows.
    package var ledgerCheckpoint: String { path + "/ledger-checkpoint" }
}
