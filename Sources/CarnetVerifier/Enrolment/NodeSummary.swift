import CarnetRecords
import CarnetStorage

/// What lists say of a machine: all but its keys and certificates, a tenth of the memory.
package struct NodeSummary: Sendable, Hashable {
    /// The enrolment's identifier, a UUID in lower case.
    package let id: String
    /// The operator's name for the machine.
    package let name: String
    /// Why the endorsement key is believed to be a TPM's.
    package let endorsement: NodeIdentity.Endorsement
    /// SHA-256 of the endorsement key's SubjectPublicKeyInfo.
    package let endorsementKeyDigest: [UInt8]
    /// The Name of the attestation key.
    package let attestationKeyName: [UInt8]
    /// When it was activated, in seconds since 1970.
    package let createdAt: Int64
    /// When it was approved; `nil` while it waits.
    package let approvedAt: Int64?
    /// Who approved it.
    package let approvedBy: String?
    /// What operators say about it.
    package let labels: NodeLabels

    /// `sub` in tokens.
    package var subject: String { "urn:carnet:node:" + id }
    /// Whether it may have passports.
    package var isApproved: Bool { approvedAt != nil }
    /// `approved` or `pending`.
    package var state: String { isApproved ? "approved" : "pending" }

    /// Reads what ``NodeStore/list(_:)`` selects.
    init(row: SQLRow) throws(StorageError) {
        id = try row.text("id")
        name = try row.text("name")
        endorsement = try NodeIdentity.endorsement(row)
        endorsementKeyDigest = try row.bytes("ek_digest")
        attestationKeyName = try row.bytes("ak_name")
        createdAt = try row.integer("created_at")
        approvedAt = try row.optionalInteger("approved_at")
        approvedBy = try row.optionalText("approved_by")
        labels = try NodeLabels(stored: row.text("labels"))
    }

    /// A machine without its keys.
    init(_ node: Node) {
        id = node.id
        name = node.identity.name
        endorsement = node.identity.endorsement
        endorsementKeyDigest = node.identity.endorsementKeyDigest
        attestationKeyName = node.identity.attestationKeyName
        createdAt = node.createdAt
        approvedAt = node.approvedAt
        approvedBy = node.approvedBy
        labels = node.labels
    }
}
