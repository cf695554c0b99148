package import CarnetStorage

/// Policies as they were written, and which of them is active.
package struct PolicyStore: Sendable {
    private let database: any SQLDatabase

    /// The policies in `database`.
    package init(_ database: any SQLDatabase) { self.database = database }

    /// One policy.
    package struct Record: Sendable, Hashable {
        /// SHA-256 of the text.
        package let digest: [UInt8]
        /// The policy's own identifier; several texts may share one.
        package let id: String
        /// The text, byte for byte.
        package let text: [UInt8]
        /// When it was stored, in seconds since 1970.
        package let createdAt: Int64
        /// The identifier of the API token that stored it.
        package let createdBy: String

        /// A policy.
        package init(digest: [UInt8], id: String, text: [UInt8], createdAt: Int64, createdBy: String) {
            self.digest = digest
            self.id = id
            self.text = text
            self.createdAt = createdAt
            self.createdBy = createdBy
        }

        init(row: SQLRow) throws(StorageError) {
            self.init(
                digest: try row.bytes("digest"), id: try row.text("id"), text: try row.bytes("text"),
                createdAt: try row.integer("created_at"), createdBy: try row.text("created_by"))
        }
    }

    /// Stores a policy. One that is there already stays as it is.
    package func add(_ policy: Record) async throws {
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO policies (digest, id, text, created_at, created_by)
                VALUES (\(policy.digest), \(policy.id), \(policy.text), \(policy.createdAt), \(policy.createdBy))
                ON CONFLICT (digest) DO NOTHING
                """)
        }
    }

    /// All policies, oldest first.
    package func list() async throws -> [Record] {
        try await database.read { try $0.rows("SELECT * FROM policies ORDER BY created_at, digest") }
            .map(Record.init(row:))
    }

    /// The policy with a digest.
    package func policy(_ digest: [UInt8]) async throws -> Record? {
        try await database.read { try $0.row("SELECT * FROM policies WHERE digest = \(digest)") }
            .map(Record.init(row:))
    }

    /// Makes a stored policy the active one. What was active before is kept as history.
    ///
    /// - Returns: Whether there is such a policy.
    package func activate(_ digest: [UInt8], by activator: String, now: Int64) async throws -> Bool {
        try await database.write { connection in
            guard try connection.row("SELECT digest FROM policies WHERE digest = \(digest)") != nil else {
                return false
            }
            let last = try connection.row(
                "SELECT number, digest FROM policy_activations ORDER BY number DESC LIMIT 1")
            if let last, try last.bytes("digest") == digest { return true }
            let number = try last.map { try $0.integer("number") + 1 } ?? 0
            try connection.execute(
                """
                INSERT INTO policy_activations (number, digest, activated_at, activated_by)
                VALUES (\(number), \(digest), \(now), \(activator))
                """)
            return true
        }
    }

    /// Whether a policy is or ever was the active one.
    package func wasActivated(_ digest: [UInt8]) async throws -> Bool {
        try await database.read { try $0.row("SELECT 1 FROM policy_activations WHERE digest = \(digest)") != nil }
    }

    /// The active policy, or `nil` when none ever was.
    package func active() async throws -> Record? {
        try await database.read { connection in
            try connection.row(
                """
                SELECT policies.* FROM policies JOIN policy_activations ON policies.digest = policy_activations.digest
                ORDER BY policy_activations.number DESC LIMIT 1
                """)
        }.map(Record.init(row:))
    }
}
