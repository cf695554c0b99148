import CarnetRecords
import CarnetStorage

/// What of an identity is known already under something else. An operator has to remove the old record first.
package enum IdentityConflict: String, Sendable, Hashable {
    /// Another machine has the name, or this one had other keys.
    case name
    /// The endorsement key is known under another name, or with another attestation key.
    case endorsementKey
    /// The attestation key is known under another endorsement key.
    case attestationKey

    /// Looks for machines that share something with `identity`, but not everything.
    ///
    /// - Returns: The identifier of the machine that has exactly this identity, or what contradicts it; neither when
    ///   nothing of it is known.
    static func look(
        for identity: NodeIdentity, in connection: any SQLConnection
    ) throws(StorageError) -> (known: String?, conflict: IdentityConflict?) {
        let rows = try connection.rows(
            """
            SELECT id, name, ek_digest, ak_name FROM nodes
            WHERE name = \(identity.name) OR ek_digest = \(identity.endorsementKeyDigest)
                OR ak_name = \(identity.attestationKeyName)
            """)
        // Which row comes first is the engine's affair; which conflict is told is not.
        var found: Set<IdentityConflict> = []
        for row in rows {
            let sameName = try row.text("name") == identity.name
            let sameEndorsementKey = try row.bytes("ek_digest") == identity.endorsementKeyDigest
            let sameAttestationKey = try row.bytes("ak_name") == identity.attestationKeyName
            if sameName && sameEndorsementKey && sameAttestationKey { return (try row.text("id"), nil) }
            found.insert(sameName ? .name : sameEndorsementKey ? .endorsementKey : .attestationKey)
        }
        return (nil, [.name, .endorsementKey, .attestationKey].first(where: found.contains))
    }
}
