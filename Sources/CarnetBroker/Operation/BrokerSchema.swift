package import CarnetRecords
package import CarnetStorage

/// The broker's tables. Times are seconds since 1970; digests are SHA-256.
package enum BrokerSchema {
    /// The steps, oldest first. A step that was released never changes.
    package static let migrations = [
        Migration(
            "First schema",
            RecordsSchema.tables + Self.own),
        Migration(
            "Key-broker clients",
            [
                // Sessions whose one attempt to attest was made: without a token it failed, or has not ended. The identifier is a digest.
                """
                CREATE TABLE kbs_sessions (
                    id TEXT PRIMARY KEY, token BYTEA, attested_at BIGINT, expires_at BIGINT NOT NULL)
                """,
                "CREATE INDEX kbs_sessions_by_time ON kbs_sessions (expires_at)",
            ]),
    ]

    private static let own: [SQL] = [
        // One version of each secret, under the key-encryption key.
        """
        CREATE TABLE secrets (
            name TEXT PRIMARY KEY, version BIGINT NOT NULL, nonce BYTEA NOT NULL, wrapped BYTEA NOT NULL,
            byte_count BIGINT NOT NULL, stored_at BIGINT NOT NULL, stored_by TEXT NOT NULL)
        """,
        """
        CREATE TABLE release_policies (
            id TEXT PRIMARY KEY, text BYTEA NOT NULL, stored_at BIGINT NOT NULL, stored_by TEXT NOT NULL)
        """,
        // Questions to machines whose evidence is wanted at the moment of release; one answer uses one up.
        """
        CREATE TABLE release_challenges (
            id TEXT PRIMARY KEY, subject TEXT NOT NULL, nonce BYTEA NOT NULL, expires_at BIGINT NOT NULL)
        """,
        "CREATE INDEX release_challenges_by_subject ON release_challenges (subject, expires_at)",
        // Disk keys that a TPM wrapped, and the key-encryption key again, each with the wrap that an operator's own key opens. A machine
        // that is about to replace one has two.
        """
        CREATE TABLE escrow (
            subject TEXT NOT NULL, volume TEXT NOT NULL, version BIGINT NOT NULL, nonce BYTEA NOT NULL,
            wrapped BYTEA NOT NULL, recovery_nonce BYTEA, recovery BYTEA, stored_at BIGINT NOT NULL,
            PRIMARY KEY (subject, volume, version))
        """,
        // What people are to know of a volume.
        """
        CREATE TABLE escrow_volumes (
            subject TEXT NOT NULL, volume TEXT NOT NULL, last_version BIGINT NOT NULL,
            escrowed_at BIGINT NOT NULL, volume_id TEXT, released_at BIGINT, sealed_pcrs TEXT, sealed_at BIGINT,
            PRIMARY KEY (subject, volume))
        """,
    ]
}

extension RecordsForm {
    /// What the broker keeps under its key-encryption key besides what every service does.
    package static let broker = RecordsForm(
        program: "carnet-broker", wrappedTables: [.secrets, .escrow, .recoveries])
}

extension WrappedTable {
    fileprivate static let secrets = WrappedTable { connection in
        try connection.row("SELECT 1 FROM secrets LIMIT 1") != nil
    } rows: { connection in
        try connection.rows("SELECT name, version, nonce, wrapped FROM secrets ORDER BY name").map { row in
            let name = try row.text("name")
            return WrappedRow(
                id: name, context: SecretStore.context(name, try row.integer("version")),
                wrapped: WrappedKey(nonce: try row.bytes("nonce"), bytes: try row.bytes("wrapped"))
            ) { other, connection in
                try connection.execute(
                    "UPDATE secrets SET nonce = \(other.nonce), wrapped = \(other.bytes) WHERE name = \(name)")
            }
        }
    }

    fileprivate static let escrow = WrappedTable { connection in
        try connection.row("SELECT 1 FROM escrow LIMIT 1") != nil
    } rows: { connection in
        try connection.rows("SELECT * FROM escrow ORDER BY subject, volume, version").map { row in
            let subject = try row.text("subject"), volume = try row.text("volume"), version = try row.integer("version")
            return WrappedRow(
                id: "\(volume) of \(subject)", context: EscrowStore.context(subject, volume, version),
                wrapped: WrappedKey(nonce: try row.bytes("nonce"), bytes: try row.bytes("wrapped"))
            ) { other, connection in
                try connection.execute(
                    """
                    UPDATE escrow SET nonce = \(other.nonce), wrapped = \(other.bytes)
                    WHERE subject = \(subject) AND volume = \(volume) AND version = \(version)
                    """)
            }
        }
    }

    fileprivate static let recoveries = WrappedTable { connection in
        try connection.row("SELECT 1 FROM escrow WHERE recovery IS NOT NULL LIMIT 1") != nil
    } rows: { connection in
        try connection.rows(
            "SELECT * FROM escrow WHERE recovery IS NOT NULL ORDER BY subject, volume, version"
        ).map { row in
            let subject = try row.text("subject"), volume = try row.text("volume"), version = try row.integer("version")
            return WrappedRow(
                id: "the recovery of \(volume) of \(subject)",
                context: EscrowStore.recoveryContext(subject, volume, version),
                wrapped: WrappedKey(nonce: try row.bytes("recovery_nonce"), bytes: try row.bytes("recovery"))
            ) { other, connection in
                try connection.execute(
                    """
                    UPDATE escrow SET recovery_nonce = \(other.nonce), recovery = \(other.bytes)
                    WHERE subject = \(subject) AND volume = \(volume) AND version = \(version)
                    """)
            }
        }
    }
}
