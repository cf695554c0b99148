import CarnetRecords
import CarnetAppraisal
import CarnetService
import CarnetStorage
import Foundation

extension Verifier {
    /// Makes every check that a start makes before it listens, and changes nothing: no folder, no file, no row.
    ///
    /// - Returns: What could not be tried, or is not there yet, each in a sentence for the operator.
    /// - Throws: What a start would throw.
    package static func check(_ configuration: VerifierConfiguration) async throws -> [String] {
        let files = try VerifierFiles(configuration)
        let directory = try DataDirectory(unmade: configuration.dataDirectory)
        _ = try CheckpointMemory(file: directory.ledgerCheckpoint, configuration.logger)
        let key = try (configuration.keyEncryptionKey ?? .file(directory.keyEncryptionKey)).read()
        let address = configuration.database ?? .sqlite(path: directory.database)
        if case .sqlite(let path) = address, access(path, F_OK) != 0 {
            return ["There is no database yet: the first start makes \(path)."]
        }
        let database = try await address.open(
            timeout: configuration.databaseTimeout, maximumConnectionCount: configuration.databaseConnections)
        let pending = try await database.pending(Schema.migrations)
        guard pending.isEmpty else {
            return ["The schema of \(address) is to be brought \(pending.count) steps further by the start."]
        }
        if !configuration.changesIssuer {
            try await database.read { try Issuer.check(configuration.issuer, in: $0) }
        }
        if let policy = files.policy, let path = configuration.policyFile {
            try await check(policy, of: path, PolicyStore(Ledger(database)))
        }
        if let key {
            try await database.read { try key.requireInForce(in: $0) }
        } else if try await database.read(RecordsForm.verifier.wrappedTables.holdKeys) {
            return [
                "The key-encryption key was not tried: \(directory.keyEncryptionKey) is not there, and no setting says "
                    + "where else it is. systemd hands it to the verifier alone."
            ]
        }
        return []
    }

    /// A policy that a start would activate needs its reference sets.
    private static func check(_ text: [UInt8], of path: String, _ policies: PolicyStore) async throws {
        guard try await !policies.wasActivated(Policy(parsing: text).digest) else { return }
        do {
            try await requireReferences(of: text, ReferenceSetStore(policies.ledger))
        } catch let problem as Problem {
            throw VerifierConfigurationError.policy(path, problem.detail)
        }
    }
}
