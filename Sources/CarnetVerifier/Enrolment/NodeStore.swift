package import CarnetRecords
package import CarnetEvidence
package import CarnetStorage

/// The machines that are known.
package struct NodeStore: Sendable {
    let ledger: Ledger

    /// The machines in the ledger\'s database.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The same, with the chain of a writer that has no name of its own.
    package init(_ database: any SQLDatabase) { self.init(Ledger(database)) }

    /// A page of the machines by name. A page begins behind a name, which is unique and never changes, so that a machine which is removed
    /// meanwhile ends nothing.
    package func list(_ page: PageRequest = PageRequest()) async throws -> Page<NodeSummary> {
        // No name is empty.
        let after = page.after ?? ""
        let rows = try await ledger.read { connection in
            try connection.rows(
                """
                SELECT id, name, endorsement, ek_digest, ak_name, created_at, approved_at, approved_by, labels
                FROM nodes WHERE name > \(after) ORDER BY name LIMIT \(page.rowCount)
                """)
        }
        return Page(try rows.map(NodeSummary.init(row:)), limit: page.limit, \.name)
    }

    /// The machine with a name.
    package func node(named name: String) async throws -> Node? {
        try await ledger.read { try $0.row("SELECT * FROM nodes WHERE name = \(name)") }.map(Node.init(row:))
    }

    /// The machine with an identifier.
    package func node(_ id: String) async throws -> Node? {
        try await ledger.read { try $0.row("SELECT * FROM nodes WHERE id = \(id)") }.map(Node.init(row:))
    }

    /// The machine whose attestation key has a Name.
    package func node(attestationKeyName name: [UInt8]) async throws -> Node? {
        try await ledger.read { try $0.row("SELECT * FROM nodes WHERE ak_name = \(name)") }.map(Node.init(row:))
    }

    /// The labels of the machine whose attestation key has a Name; none when there is no such machine.
    func labels(ofKey name: [UInt8]?) async throws -> NodeLabels {
        guard let name else { return .none }
        return try await node(attestationKeyName: name)?.labels ?? .none
    }

    /// What became of a machine that proved its keys.
    package enum Addition: Sendable, Hashable {
        /// It is known now, or was known with exactly this identity.
        case added(Node)
        /// Something of its identity is known under something else.
        case conflict(IdentityConflict)
        /// An operator vouches for its endorsement key under another name only.
        case registeredForAnotherName
        /// Nothing vouches for its endorsement key any more.
        case notRegistered
        /// It is known, and its TPM's boot counters went backwards since.
        case countersWentBackwards
    }

    /// Adds a machine, and remembers its TPM's boot counters, in one transaction.
    ///
    /// A machine that is known with exactly this identity keeps its identifier and its approval. The operator who registered its
    /// endorsement key approves it by that, under the name that was registered and under no other.
    ///
    /// - Parameters:
    ///   - id: The identifier of its enrolment.
    ///   - approver: Who approves it when nobody registered its key; `nil` when it waits for an operator.
    package func add(
        _ id: String, _ identity: NodeIdentity, boot: BootCounters, firmwareVersion: UInt64, approver: String?,
        now: Int64
    ) async throws -> Addition {
        try await ledger.change(at: now) { connection in
            try Self.add(
                id, identity, boot: boot, firmwareVersion: firmwareVersion, approver: approver, now: now,
                in: connection)
        }
    }

    /// The same, as a part of a transaction that writes the events of what it answers.
    package static func add(
        _ id: String, _ identity: NodeIdentity, boot: BootCounters, firmwareVersion: UInt64, approver: String?,
        now: Int64, in connection: any SQLConnection
    ) throws -> LedgerChange<Addition> {
        let registered = try EndorsementKeyRegister.entry(identity.endorsementKeyDigest, in: connection)
        func refuse(_ addition: Addition) throws -> LedgerChange<Addition> {
            try .refusal(addition, identity, addition.reason, now: now, in: connection)
        }
        if let name = registered?.nodeName, name != identity.name { return try refuse(.registeredForAnotherName) }
        if identity.endorsement == .registration, registered == nil { return try refuse(.notRegistered) }
        let (known, conflict) = try IdentityConflict.look(for: identity, in: connection)
        if let conflict { return try refuse(.conflict(conflict)) }
        let name = identity.attestationKeyName
        if let last = try BootCounterStore.counters(of: name, in: connection), !boot.canFollow(last) {
            return try refuse(.countersWentBackwards)
        }
        try BootCounterStore.store(boot, firmwareVersion: firmwareVersion, of: name, now: now, in: connection)
        let id = known ?? id
        if known == nil {
            let keyDigest = Self.keyDigest(ofArea: identity.attestationKey)
            try connection.execute(
                """
                INSERT INTO nodes (id, name, endorsement, ek_digest, ek_public, ek_certificate, ak_name, ak_public,
                    ak_spki, created_at, labels)
                VALUES (\(id), \(identity.name), \(identity.endorsement.rawValue), \(identity.endorsementKeyDigest),
                    \(identity.endorsementKey), \(identity.endorsementCertificate), \(name),
                    \(identity.attestationKey), \(keyDigest), \(now), \(NodeLabels.none.stored))
                """)
        }
        let key = identity.endorsementKeyDigest
        let wasRemoved = try connection.row("SELECT 1 FROM removed_endorsement_keys WHERE digest = \(key)") != nil
        if let approver = registered?.createdBy ?? (wasRemoved ? nil : approver) {
            try Self.approve(id, by: approver, now: now, in: connection)
        }
        guard let row = try connection.row("SELECT * FROM nodes WHERE id = \(id)") else {
            throw StorageError(.unexpectedValue, "a node that was just written is not there")
        }
        let node = try Node(row: row)
        return .recorded(
            .added(node), .enrolment(.activated(id: node.id, identity: identity, approvedBy: node.approvedBy)))
    }

    /// Approves a machine. One that is approved already stays as it is.
    ///
    /// - Returns: The machine, or `nil` when there is none with this identifier.
    package func approve(_ id: String, by approver: String, now: Int64) async throws -> Node? {
        let row = try await ledger.change(at: now) { connection in
            let isNew = try Self.approve(id, by: approver, now: now, in: connection)
            let row = try connection.row("SELECT * FROM nodes WHERE id = \(id)")
            return isNew ? .recorded(row, .enrolment(.approved(id: id, by: approver))) : .nothing(row)
        }
        return try row.map(Node.init(row:))
    }

    /// Gives a machine labels in place of those that it has.
    ///
    /// - Parameter labeller: The identifier of the API token with which it is done.
    /// - Returns: The machine, or `nil` when there is none with this identifier.
    package func label(_ id: String, _ labels: NodeLabels, by labeller: String, now: Int64) async throws -> Node? {
        let row = try await ledger.change(at: now) { connection in
            guard try connection.execute("UPDATE nodes SET labels = \(labels.stored) WHERE id = \(id)") == 1 else {
                return .nothing(SQLRow?.none)
            }
            return .recorded(
                try connection.row("SELECT * FROM nodes WHERE id = \(id)"),
                .operation(OperatorAction(.nodeLabelled, id, by: labeller, details: labels.values)))
        }
        return try row.map(Node.init(row:))
    }

    /// - Returns: Whether it was not approved before.
    @discardableResult
    private static func approve(
        _ id: String, by approver: String, now: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        try connection.execute(
            """
            UPDATE nodes SET approved_at = \(now), approved_by = \(approver)
            WHERE id = \(id) AND approved_at IS NULL
            """) == 1
    }

    /// Forgets a machine, its boot counters, its open enrolments and the registration of its endorsement key. Its name and its keys may
    /// then be enrolled anew, and wait for an operator's approval even where others do not. Its living passports are withdrawn.
    ///
    /// - Parameter remover: The identifier of the API token with which it is removed.
    /// - Returns: Whether there was one.
    package func remove(_ id: String, by remover: String = "", now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard let row = try connection.row("SELECT * FROM nodes WHERE id = \(id)") else { return .nothing(false) }
            let identity = try NodeIdentity(row: row)
            let revocation = try Revocations.revoke(
                .node(id), reason: "The node was removed", by: remover, now: now, in: connection)
            try connection.execute("DELETE FROM last_evidence WHERE node_id = \(id)")
            try NodeHealth.forget(id, in: connection)
            try connection.execute("DELETE FROM ima_parts WHERE node_id = \(id)")
            try connection.execute("DELETE FROM ima_checkpoints WHERE node_id = \(id)")
            try connection.execute("DELETE FROM boot_counters WHERE ak_name = \(identity.attestationKeyName)")
            try connection.execute(
                """
                DELETE FROM enrolments
                WHERE name = \(identity.name) OR ek_digest = \(identity.endorsementKeyDigest)
                """)
            let key = identity.endorsementKeyDigest
            try connection.execute("DELETE FROM registered_endorsement_keys WHERE digest = \(key)")
            try connection.execute(
                """
                INSERT INTO removed_endorsement_keys (digest, removed_at) VALUES (\(key), \(now))
                ON CONFLICT (digest) DO NOTHING
                """)
            try connection.execute("DELETE FROM nodes WHERE id = \(id)")
            return .recorded(
                true, .enrolment(.removed(id: id, name: identity.name, by: remover)), .revocation(revocation))
        }
    }
}
