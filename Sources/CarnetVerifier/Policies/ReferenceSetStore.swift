package import CarnetRecords
package import CarnetAppraisal
import CarnetService
package import CarnetStorage
import Cryptography
import StrictEncoding

/// Sets of reference values that operators pushed, each under the digest of its bytes.
package struct ReferenceSetStore: Sendable {
    private let ledger: Ledger

    /// The sets in the ledger\'s database.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The same, with the chain of a writer that has no name of its own.
    package init(_ database: any SQLDatabase) { self.init(Ledger(database)) }

    /// The most sets: each may have 64 MiB.
    package static let maximumCount = 64

    /// What is said of a set without its values.
    package struct Record: Sendable, Hashable {
        /// SHA-256 of the set's bytes.
        package let digest: [UInt8]
        package let name: String
        package let componentCount: Int64
        package let fileCount: Int64
        /// When it was stored, in seconds since 1970.
        package let createdAt: Int64
        /// The identifier of the API token that stored it.
        package let createdBy: String

        init(row: SQLRow) throws(StorageError) {
            digest = try row.bytes("digest")
            name = try row.text("name")
            componentCount = try row.integer("component_count")
            fileCount = try row.integer("file_count")
            createdAt = try row.integer("created_at")
            createdBy = try row.text("created_by")
        }
    }

    /// Stores a set. One that is there already stays as it is.
    ///
    /// - Returns: What names it.
    /// - Throws: ``Problem``, 409, when there are as many others as there may be; `ReferenceSetError` for a set that
    ///   cannot be written.
    package func add(_ set: ReferenceSet, by creator: String, now: Int64) async throws -> ReferenceSetName {
        let document = try set.bytes()
        let name = try ReferenceSetName(set)
        let components = Int64(set.components.count), files = Int64(set.files.count)
        let isStored = try await ledger.change(at: now) { connection in
            let others = try connection.rows("SELECT digest FROM reference_sets WHERE digest <> \(name.digest)").count
            guard others < Self.maximumCount else { return .nothing(false) }
            let count = try connection.execute(
                """
                INSERT INTO reference_sets
                    (digest, name, document, component_count, file_count, created_at, created_by)
                VALUES (\(name.digest), \(name.name), \(document), \(components), \(files), \(now), \(creator))
                ON CONFLICT (digest) DO NOTHING
                """)
            guard count == 1 else { return .nothing(true) }
            return .recorded(true, .operation(OperatorAction(.referenceSetStored, name.description, by: creator)))
        }
        guard isStored else { throw Problem.full("reference sets", Self.maximumCount) }
        return name
    }

    /// All sets by name, then by age.
    package func list() async throws -> [Record] {
        try await ledger.read {
            try $0.rows(
                """
                SELECT digest, name, component_count, file_count, created_at, created_by FROM reference_sets
                ORDER BY name, created_at, digest
                """)
        }.map(Record.init(row:))
    }

    /// The bytes of a set.
    package func document(_ digest: [UInt8]) async throws -> [UInt8]? {
        try await ledger.read { try $0.row("SELECT document FROM reference_sets WHERE digest = \(digest)") }
            .map { try $0.bytes("document") }
    }

    /// Removes a set.
    ///
    /// - Parameter remover: The identifier of the API token with which it is removed.
    /// - Returns: Whether there was one.
    package func remove(_ digest: [UInt8], by remover: String, now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard try connection.execute("DELETE FROM reference_sets WHERE digest = \(digest)") == 1 else {
                return .nothing(false)
            }
            return .recorded(
                true, .operation(OperatorAction(.referenceSetRemoved, Hexadecimal.encode(digest), by: remover)))
        }
    }

    /// A policy with the sets that it names, as far as they are stored.
    ///
    /// - Throws: `PolicyError` for a stored set that cannot be read.
    func resolve(_ policy: Policy) async throws -> Policy {
        var documents: [[UInt8]] = []
        for name in policy.missingReferences {
            if let document = try await document(name.digest) { documents.append(document) }
        }
        return documents.isEmpty ? policy : try policy.resolved(with: documents)
    }
}
