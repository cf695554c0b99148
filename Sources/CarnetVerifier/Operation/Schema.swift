package import CarnetStorage

/// The verifier's tables. Times are seconds since 1970; digests are SHA-256.
package enum Schema {
    /// The steps, oldest first. A step that was released never changes.
    package static let migrations = [
        Migration(
            "First schema",
            [
                // Keys of the verifier, each wrapped by the key-encryption key that is kept elsewhere.
                """
                CREATE TABLE keys (
                    id TEXT PRIMARY KEY, purpose TEXT NOT NULL, nonce BYTEA NOT NULL, wrapped BYTEA NOT NULL,
                    created_at BIGINT NOT NULL)
                """,
                """
                CREATE TABLE api_tokens (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, digest BYTEA NOT NULL,
                    created_at BIGINT NOT NULL, created_by TEXT NOT NULL)
                """,
                """
                CREATE TABLE registered_endorsement_keys (
                    digest BYTEA PRIMARY KEY, node_name TEXT UNIQUE, created_at BIGINT NOT NULL, created_by TEXT NOT NULL)
                """,
                // Keys of machines that an operator removed: nothing approves them again by itself.
                "CREATE TABLE removed_endorsement_keys (digest BYTEA PRIMARY KEY, removed_at BIGINT NOT NULL)",
                // Enrolments that wait for their activation.
                """
                CREATE TABLE enrolments (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL, endorsement TEXT NOT NULL, ek_digest BYTEA NOT NULL,
                    ek_public BYTEA NOT NULL, ek_certificate BYTEA, ak_name BYTEA NOT NULL, ak_public BYTEA NOT NULL,
                    secret_digest BYTEA NOT NULL, nonce BYTEA NOT NULL, selection BYTEA NOT NULL, expires_at BIGINT NOT NULL)
                """,
                """
                CREATE TABLE nodes (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, endorsement TEXT NOT NULL,
                    ek_digest BYTEA NOT NULL UNIQUE, ek_public BYTEA NOT NULL, ek_certificate BYTEA,
                    ak_name BYTEA NOT NULL UNIQUE, ak_public BYTEA NOT NULL,
                    created_at BIGINT NOT NULL, approved_at BIGINT, approved_by TEXT, labels TEXT NOT NULL)
                """,
                // What each machine sent last that was authentic, so that a new policy can be tried on it.
                """
                CREATE TABLE last_evidence (
                    node_id TEXT PRIMARY KEY, evidence BYTEA NOT NULL, selection BYTEA NOT NULL,
                    appraised_at BIGINT NOT NULL)
                """,
                // The last clock of each attestation key: going backwards is a broken chain of evidence.
                """
                CREATE TABLE boot_counters (
                    ak_name BYTEA PRIMARY KEY, clock BIGINT NOT NULL, reset_count BIGINT NOT NULL,
                    restart_count BIGINT NOT NULL, firmware_version BIGINT NOT NULL, updated_at BIGINT NOT NULL)
                """,
                """
                CREATE TABLE policies (
                    digest BYTEA PRIMARY KEY, id TEXT NOT NULL, text BYTEA NOT NULL,
                    created_at BIGINT NOT NULL, created_by TEXT NOT NULL)
                """,
                // Of each policy's rows the newest says which version is active; none is when its digest is empty.
                """
                CREATE TABLE policy_activations (
                    number BIGINT PRIMARY KEY, id TEXT NOT NULL, digest BYTEA NOT NULL, activated_at BIGINT NOT NULL,
                    activated_by TEXT NOT NULL)
                """,
                // One row that is written to see whether anything can be.
                "CREATE TABLE readiness (id BIGINT PRIMARY KEY, checked_at BIGINT NOT NULL)",
                // How far each machine's list of files was verified, in which boot and under which policy.
                """
                CREATE TABLE ima_checkpoints (
                    node_id TEXT PRIMARY KEY, reset_count BIGINT NOT NULL, policy_digest BYTEA NOT NULL,
                    checkpoint BYTEA NOT NULL)
                """,
                // Challenges that were answered, until they would have run out anyway.
                "CREATE TABLE used_challenges (digest BYTEA PRIMARY KEY, expires_at BIGINT NOT NULL)",
                "CREATE INDEX used_challenges_by_expiry ON used_challenges (expires_at)",
                """
                CREATE TABLE pcr_templates (
                    name TEXT PRIMARY KEY, text BYTEA NOT NULL, created_at BIGINT NOT NULL, created_by TEXT NOT NULL)
                """,
                // The ledger. A row consumes its challenge; each row holds the hash of its writer's row before it.
                """
                CREATE TABLE appraisals (
                    writer TEXT NOT NULL, number BIGINT NOT NULL, previous BYTEA NOT NULL, hash BYTEA NOT NULL,
                    time BIGINT NOT NULL, kind TEXT NOT NULL, challenge_digest BYTEA NOT NULL UNIQUE,
                    requester TEXT, node_id TEXT, outcome TEXT NOT NULL, policy_digest BYTEA, evidence_digest BYTEA NOT NULL,
                    token_id TEXT, findings BYTEA NOT NULL, PRIMARY KEY (writer, number))
                """,
                "CREATE INDEX appraisals_by_time ON appraisals (time)",
                "CREATE INDEX appraisals_by_node ON appraisals (node_id, time)",
            ]),
        Migration(
            "Sets of reference values, and the kernel's lists of files",
            [
                """
                CREATE TABLE reference_sets (
                    digest BYTEA PRIMARY KEY, name TEXT NOT NULL, document BYTEA NOT NULL,
                    component_count BIGINT NOT NULL, file_count BIGINT NOT NULL, created_at BIGINT NOT NULL,
                    created_by TEXT NOT NULL)
                """,
                // The list of each machine's boot as it came, part after part, each under the number of its first entry.
                """
                CREATE TABLE ima_parts (
                    node_id TEXT NOT NULL, first_entry BIGINT NOT NULL, entries BYTEA NOT NULL,
                    PRIMARY KEY (node_id, first_entry))
                """,
            ]),
        Migration(
            "Revocation",
            [
                // Where the status of each living token is kept. The lists of an hour are of tokens that expire in it.
                """
                CREATE TABLE status_entries (
                    hour BIGINT NOT NULL, list BIGINT NOT NULL, position BIGINT NOT NULL, token_id TEXT NOT NULL UNIQUE,
                    node_id TEXT, policy_digest BYTEA, issued_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
                    PRIMARY KEY (hour, list, position))
                """,
                "CREATE INDEX status_entries_by_node ON status_entries (node_id)",
                // Lists that tokens refer to, and how often each has changed.
                """
                CREATE TABLE status_lists (
                    hour BIGINT NOT NULL, list BIGINT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (hour, list))
                """,
                """
                CREATE TABLE revoked_entries (
                    hour BIGINT NOT NULL, list BIGINT NOT NULL, position BIGINT NOT NULL, revocation BIGINT NOT NULL,
                    PRIMARY KEY (hour, list, position))
                """,
                "CREATE INDEX revoked_entries_by_revocation ON revoked_entries (revocation, hour, list)",
                // Who ended passports early, and why.
                """
                CREATE TABLE revocations (
                    number BIGINT PRIMARY KEY, time BIGINT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
                    reason TEXT NOT NULL, decided_by TEXT NOT NULL, token_count BIGINT NOT NULL)
                """,
                "CREATE INDEX revocations_by_time ON revocations (time)",
            ]),
        Migration(
            "One ledger for everything that happens, and what appraisals depended on",
            [
                // Every event. A row that has a challenge consumes it; each row holds the hash of its chain's row before it. The table
                // appraisals is the ledger's first form: its rows stay as they are, and none is added.
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
                // What the last appraisal of each machine depended on, and where the ledger tells of it.
                "ALTER TABLE last_evidence ADD COLUMN inputs BYTEA",
                "ALTER TABLE last_evidence ADD COLUMN chain TEXT",
                "ALTER TABLE last_evidence ADD COLUMN number BIGINT",
                // Templates by the digests of their texts, also of those that were replaced.
                "CREATE TABLE kept_templates (digest BYTEA PRIMARY KEY, text BYTEA NOT NULL)",
            ]),
        Migration(
            "Signing keys that take turns",
            [
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
                // One row: which key-encryption key wraps the others.
                "CREATE TABLE key_encryption (id BIGINT PRIMARY KEY, key_id TEXT NOT NULL)",
            ]),
        Migration(
            "API tokens that expire",
            [
                // Tokens from before have no end. Once a token was seen after its end that is written, and it stays refused.
                "ALTER TABLE api_tokens ADD COLUMN expires_at BIGINT",
                "ALTER TABLE api_tokens ADD COLUMN expired_at BIGINT",
                "ALTER TABLE api_tokens ADD COLUMN last_used_at BIGINT",
            ]),
        Migration(
            "Webhooks",
            [
                // What the last appraisals of each machine amount to.
                """
                CREATE TABLE node_health (
                    node_id TEXT PRIMARY KEY, outcome TEXT NOT NULL, failing BIGINT NOT NULL, since BIGINT NOT NULL)
                """,
                // Who wants to know what. It changes only when operators change it, so that whoever reads it to write a message waits for nobody.
                """
                CREATE TABLE webhooks (
                    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL, events TEXT NOT NULL,
                    labels TEXT NOT NULL, created_at BIGINT NOT NULL, created_by TEXT NOT NULL)
                """,
                // Secrets, wrapped. One that expires signs beside its successor until then.
                """
                CREATE TABLE webhook_secrets (
                    id TEXT PRIMARY KEY, webhook TEXT NOT NULL, nonce BYTEA NOT NULL, wrapped BYTEA NOT NULL,
                    created_at BIGINT NOT NULL, expires_at BIGINT)
                """,
                // Messages, each in a lane of its subscription in which one follows the other.
                """
                CREATE TABLE webhook_deliveries (
                    webhook TEXT NOT NULL, lane TEXT NOT NULL, number BIGINT NOT NULL, id TEXT NOT NULL, event TEXT NOT NULL,
                    body BYTEA NOT NULL, created_at BIGINT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL,
                    next_at BIGINT NOT NULL, ended_at BIGINT, last_status BIGINT, last_error TEXT,
                    PRIMARY KEY (webhook, lane, number))
                """,
                "CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (state, next_at)",
                "CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (webhook, created_at)",
                // Which verifier sends to a receiver now, and how the receiver has answered lately.
                """
                CREATE TABLE webhook_receivers (
                    webhook TEXT PRIMARY KEY, holder TEXT NOT NULL, leased_until BIGINT NOT NULL, failures BIGINT NOT NULL,
                    failing_since BIGINT, resumes_at BIGINT NOT NULL, last_success_at BIGINT, last_error TEXT)
                """,
            ]),
        Migration(
            "The issuer",
            [
                // One row: whose tokens these are.
                "CREATE TABLE issuer (id BIGINT PRIMARY KEY, name TEXT NOT NULL)"
            ]),
        Migration(
            "Attestation keys by themselves",
            [
                // SHA-256 of the attestation key's SubjectPublicKeyInfo; null for machines that were enrolled before, until somebody asks.
                "ALTER TABLE nodes ADD COLUMN ak_spki BYTEA",
                "CREATE INDEX nodes_by_spki ON nodes (ak_spki)",
            ]),
    ]
}
