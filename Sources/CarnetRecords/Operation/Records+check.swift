package import CarnetStorage
import Foundation

extension Records {
    /// Checks what ``open(_:_:migrations:bootstrap:failed:admitting:)`` would open, and changes nothing: no folder, no file, no row.
    ///
    /// - Parameter admitting: Further checks of a database that has the schema; it throws what a start would throw.
    /// - Returns: What could not be tried, or is not there yet, each in a sentence for the operator.
    /// - Throws: What a start would throw.
    package static func check(
        _ settings: RecordsSettings, _ form: RecordsForm, migrations: [Migration],
        admitting: (any SQLDatabase) async throws -> Void = { _ in }
    ) async throws -> [String] {
        let directory = try DataDirectory(unmade: settings.dataDirectory)
        _ = try CheckpointMemory(file: directory.ledgerCheckpoint, settings.logger)
        let key = try (settings.keyEncryptionKey ?? .file(directory.keyEncryptionKey)).read()
        let address = settings.database ?? .sqlite(path: directory.database)
        if case .sqlite(let path) = address, access(path, F_OK) != 0 {
            return ["There is no database yet: the first start makes \(path)."]
        }
        let database = try await address.open(
            timeout: settings.databaseTimeout, maximumConnectionCount: settings.databaseConnections)
        let pending = try await database.pending(migrations)
        guard pending.isEmpty else {
            return ["The schema of \(address) is to be brought \(pending.count) steps further by the start."]
        }
        try await admitting(database)
        if let key {
            try await database.read { try key.requireInForce(in: $0, of: form.program) }
        } else if try await database.read(form.wrappedTables.holdKeys) {
            return [
                "The key-encryption key was not tried: \(directory.keyEncryptionKey) is not there, and no setting says "
                    + "where else it is. systemd hands it to the service alone."
            ]
        }
        return []
    }
}
