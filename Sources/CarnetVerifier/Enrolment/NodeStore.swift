package import CarnetStorage

/// The machines that are known.
package struct NodeStore: Sendable {
    private let database: any SQLDatabase

    /// The machines in `database`.
    package init(_ database: any SQLDatabase) { self.database = database }

    /// All machines by name, or the one with a given name.
    package func list(named name: String? = nil) async throws -> [Node] {
        let rows = try await database.read { connection in
            if let name { return try connection.rows("SELECT * FROM nodes WHERE name = \(name)") }
            return try connection.rows("SELECT * FROM nodes ORDER BY name")
        }
        return try rows.map(Node.init(row:))
    }

    /// The machine with an identifier.
    package func node(_ id: String) async throws -> Node? {
        try await database.read { try $0.row("SELECT * FROM nodes WHERE id = \(id)") }.map(Node.init(row:))
    }

    /// The machine whose attestation key has a Name.
    package func node(attestationKeyName name: [UInt8]) async throws -> Node? {
        try await database.read { try $0.row("SELECT * FROM nodes WHERE ak_name = \(name)") }.map(Node.init(row:))
    }

    /// Approves a machine. One that is approved already stays as it is.
    ///
    /// - Returns: The machine, or `nil` when there is none with this identifier.
    package func approve(_ id: String, by approver: String, now: Int64) async throws -> Node? {
        let row = try await database.write { connection in
            try connection.execute(
                """
                UPDATE nodes SET approved_at = \(now), approved_by = \(approver)
                WHERE id = \(id) AND approved_at IS NULL
                """)
            return try connection.row("SELECT * FROM nodes WHERE id = \(id)")
        }
        return try row.map(Node.init(row:))
    }

    /// Forgets a machine, its boot counters and its open enrolments. Its name and its keys may then be enrolled anew.
    ///
    /// - Returns: Whether there was one.
    package func remove(_ id: String) async throws -> Bool {
        try await database.write { connection in
            guard let row = try connection.row("SELECT * FROM nodes WHERE id = \(id)") else { return false }
            let identity = try NodeIdentity(row: row)
            try connection.execute("DELETE FROM boot_counters WHERE ak_name = \(identity.attestationKeyName)")
            try connection.execute(
                """
                DELETE FROM enrolments
                WHERE name = \(identity.name) OR ek_digest = \(identity.endorsementKeyDigest)
                """)
            return try connection.execute("DELETE FROM nodes WHERE id = \(id)") == 1
        }
    }
}
