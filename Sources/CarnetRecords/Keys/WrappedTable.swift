package import CarnetStorage

/// A table whose rows hold keys under the key-encryption key. Each service names its own beside those that every service has.
package struct WrappedTable: Sendable {
    /// Whether it has any such row.
    let holdsAny: @Sendable (any SQLConnection) throws -> Bool
    /// Its rows that hold a key.
    let rows: @Sendable (any SQLConnection) throws -> [WrappedRow]

    /// A table.
    ///
    /// - Parameters:
    ///   - holdsAny: Whether it has any row that holds a key.
    ///   - rows: All rows that do.
    package init(
        holdsAny: @escaping @Sendable (any SQLConnection) throws -> Bool,
        rows: @escaping @Sendable (any SQLConnection) throws -> [WrappedRow]
    ) {
        self.holdsAny = holdsAny
        self.rows = rows
    }

    /// The keys of a service, as the one that seals sessions.
    static let keys = WrappedTable { connection in
        try connection.row("SELECT 1 FROM keys LIMIT 1") != nil
    } rows: { connection in
        try connection.rows("SELECT id, purpose, nonce, wrapped FROM keys ORDER BY id").map { row in
            let id = try row.text("id")
            return WrappedRow(
                id: id, context: try row.text("purpose") + "/" + id,
                wrapped: WrappedKey(nonce: try row.bytes("nonce"), bytes: try row.bytes("wrapped"))
            ) { other, connection in
                try connection.execute(
                    "UPDATE keys SET nonce = \(other.nonce), wrapped = \(other.bytes) WHERE id = \(id)")
            }
        }
    }

    /// The keys that sign.
    static let signingKeys = WrappedTable { connection in
        try connection.row("SELECT 1 FROM signing_keys WHERE wrapped IS NOT NULL LIMIT 1") != nil
    } rows: { connection in
        try SigningKeyRow.all(in: connection).compactMap { row in
            let kid = row.record.kid
            return row.wrapped.map { wrapped in
                WrappedRow(id: kid, context: SigningKeyRow.context(kid), wrapped: wrapped) { other, connection in
                    try connection.execute(
                        "UPDATE signing_keys SET nonce = \(other.nonce), wrapped = \(other.bytes) WHERE kid = \(kid)")
                }
            }
        }
    }

    /// Those of every service, and a service's own.
    static func all(_ own: [WrappedTable]) -> [WrappedTable] { [keys, signingKeys] + own }
}

/// A row that holds a wrapped key, and what its key is bound to.
package struct WrappedRow: Sendable {
    /// What it is called in a message.
    let id: String
    let context: String
    let wrapped: WrappedKey
    /// Writes another wrap of the same key.
    let replace: @Sendable (WrappedKey, any SQLConnection) throws -> Void

    /// A row.
    package init(
        id: String, context: String, wrapped: WrappedKey,
        replace: @escaping @Sendable (WrappedKey, any SQLConnection) throws -> Void
    ) {
        self.id = id
        self.context = context
        self.wrapped = wrapped
        self.replace = replace
    }
}

extension [WrappedTable] {
    /// Whether any table has a row that holds a key.
    @Sendable package func holdKeys(in connection: any SQLConnection) throws -> Bool {
        try contains { try $0.holdsAny(connection) }
    }

    func rows(in connection: any SQLConnection) throws -> [WrappedRow] { try flatMap { try $0.rows(connection) } }
}
