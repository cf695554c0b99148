/// One step from an older schema to a newer one. A step that was released never changes; a new one follows it.
public struct Migration: Sendable {
    /// A name that says what it brings. The order of the list, not the name, says when it runs.
    public let name: String
    /// The statements, run in one transaction together with the note that they ran.
    public let statements: [SQL]

    /// A step.
    public init(_ name: String, _ statements: [SQL]) {
        self.name = name
        self.statements = statements
    }
}

extension SQLDatabase {
    /// Brings the schema to the last of `migrations`, applying in one transaction those that are missing. When several
    /// programs do so at once, one applies them and the others find them applied.
    ///
    /// - Parameter now: What to note as the time, in seconds since 1970.
    /// - Returns: The names of the steps that were applied.
    /// - Throws: ``StorageError/Code/schemaMismatch`` when the database holds steps that `migrations` does not begin with:
    ///   it was written by a newer program.
    @discardableResult
    public func migrate(_ migrations: [Migration], now: Int64) async throws -> [String] {
        try await writeAlone { connection in
            let appliedCount = try Migration.appliedCount(of: migrations, in: connection)
            for (number, migration) in migrations.enumerated().dropFirst(appliedCount) {
                for statement in migration.statements { try connection.execute(statement) }
                try connection.execute(
                    """
                    INSERT INTO schema_migrations (number, name, applied_at)
                    VALUES (\(Int64(number)), \(migration.name), \(now))
                    """)
            }
            return migrations.dropFirst(appliedCount).map(\.name)
        }
    }

    /// The names of the steps that ``migrate(_:now:)`` would apply. Nothing is changed, but that it could be is tried.
    ///
    /// - Throws: As ``migrate(_:now:)``.
    public func pending(_ migrations: [Migration]) async throws -> [String] {
        do {
            try await write { connection -> Void in
                throw Pending(
                    names: migrations.dropFirst(try Migration.appliedCount(of: migrations, in: connection)).map(\.name))
            }
            return []
        } catch let pending as Pending {
            return pending.names
        }
    }
}

extension Migration {
    /// How many of the steps the database has, which gets the table that tells of them.
    fileprivate static func appliedCount(
        of migrations: [Migration], in connection: any SQLConnection
    ) throws -> Int {
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)
            """)
        let applied = try connection.rows("SELECT name FROM schema_migrations ORDER BY number")
            .map { row throws(StorageError) in try row.text("name") }
        guard applied.elementsEqual(migrations.prefix(applied.count).map(\.name)) else {
            guard let first = migrations.first, applied.first == first.name else {
                throw StorageError(
                    .schemaMismatch,
                    "this is another program's database: it begins with the step \(applied.first ?? ""), and this program's with "
                        + "\(migrations.first?.name ?? "none"). Name this program's own")
            }
            let (step, known) =
                zip(applied, migrations.map(\.name) + [""]).first { $0 != $1 } ?? (applied.last ?? "", "")
            throw StorageError(
                .schemaMismatch,
                "the database has the schema step \(step) where this program knows \(known.isEmpty ? "none" : known); "
                    + "use the program that wrote it, or a newer one")
        }
        return applied.count
    }
}

/// Ends a transaction that is not to be kept, with what it found.
private struct Pending: Error {
    let names: [String]
}
