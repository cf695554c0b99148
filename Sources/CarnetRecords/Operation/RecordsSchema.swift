package import CarnetStorage

/// The tables that every service has. Times are seconds since 1970; digests are SHA-256.
///
/// The verifier's schema grew step by step and has the same tables in the end; a service that is new begins with these.
package enum RecordsSchema {
    /// One statement for each table and index.
    package static let tables: [SQL] = [
        // Keys of the service, each wrapped by the key-encryption key that is kept elsewhere.
        """
        CREATE TABLE keys (
            id TEXT PRIMARY KEY, purpose TEXT NOT NULL, nonce BYTEA NOT NULL, wrapped BYTEA NOT NULL,
            created_at BIGINT NOT NULL)
        """,
        // One row: which key-encryption key wraps the others.
        "CREATE TABLE key_encryption (id BIGINT PRIMARY KEY, key_id TEXT NOT NULL)",
        """
        CREATE TABLE api_tokens (
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, digest BYTEA NOT NULL,
            created_at BIGINT NOT NULL, created_by TEXT NOT NULL, expires_at BIGINT, expired_at BIGINT,
            last_used_at BIGINT)
        """,
        // One row that is written to see whether anything can be.
        "CREATE TABLE readiness (id BIGINT PRIMARY KEY, checked_at BIGINT NOT NULL)",
        // Challenges that were answered, until they would have run out anyway.
        "CREATE TABLE used_challenges (digest BYTEA PRIMARY KEY, expires_at BIGINT NOT NULL)",
        "CREATE INDEX used_challenges_by_expiry ON used_challenges (expires_at)",
        // Every event. A row that has a challenge consumes it; each row holds the hash of its chain's row before it.
        """
        CREATE TABLE ledger (
            chain TEXT NOT NULL, number BIGINT NOT NULL, previous BYTEA NOT NULL, hash BYTEA NOT NULL,
            time BIGINT NOT NULL, kind TEXT NOT NULL, subject TEXT, challenge BYTEA UNIQUE, body BYTEA NOT NULL,
            PRIMARY KEY (chain, number))
        """,
        "CREATE INDEX ledger_by_time ON ledger (time)",
        "CREATE INDEX ledger_by_subject ON ledger (subject, kind, time)",
        "CREATE TABLE ledger_chains (chain TEXT PRIMARY KEY, started_at BIGINT NOT NULL)",
        // Signed statements about the heads of all chains. They are kept when what they speak of is pruned.
        """
        CREATE TABLE ledger_checkpoints (
            number BIGINT PRIMARY KEY, time BIGINT NOT NULL, statement BYTEA NOT NULL)
        """,
        // The private part is wrapped, and null once the key is out of the set. The public part is for audits.
        """
        CREATE TABLE signing_keys (
            kid TEXT PRIMARY KEY, state TEXT NOT NULL, public_key BYTEA NOT NULL, nonce BYTEA, wrapped BYTEA,
            published_at BIGINT NOT NULL, activated_at BIGINT, retiring_at BIGINT, ended_at BIGINT)
        """,
        // Whatever replicas do: one key signs, and one signs next.
        """
        CREATE UNIQUE INDEX signing_keys_in_turn ON signing_keys (state) WHERE state IN ('current', 'next')
        """,
        // One row: when the schedule was looked at last.
        "CREATE TABLE signing_key_looks (id BIGINT PRIMARY KEY, looked_at BIGINT NOT NULL)",
        """
        CREATE TABLE signing_key_events (
            number BIGINT PRIMARY KEY, time BIGINT NOT NULL, kid TEXT NOT NULL, state TEXT NOT NULL,
            decided_by TEXT NOT NULL, reason TEXT NOT NULL)
        """,
    ]
}
