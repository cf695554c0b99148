import CarnetRecords
import CarnetStorage

/// A machine that proved once that its endorsement key and its attestation key sit in one TPM.
package struct Node: Sendable, Hashable {
    /// The enrolment's identifier, a UUID in lower case.
    package let id: String
    /// What is known of its keys.
    package let identity: NodeIdentity
    /// When it was activated, in seconds since 1970.
    package let createdAt: Int64
    /// When an operator, or a rule that an operator made, approved it; `nil` while it waits.
    package let approvedAt: Int64?
    /// Who approved it.
    package let approvedBy: String?
    /// What operators say about it: a policy selects machines by their labels.
    package let labels: NodeLabels

    /// `sub` in tokens: nothing that is derived from the TPM.
    package var subject: String { "urn:carnet:node:" + id }
    /// Whether it may have passports.
    package var isApproved: Bool { approvedAt != nil }
    /// `approved` or `pending`.
    package var state: String { isApproved ? "approved" : "pending" }

    init(row: SQLRow) throws(StorageError) {
        id = try row.text("id")
        identity = try NodeIdentity(row: row)
        createdAt = try row.integer("created_at")
        approvedAt = try row.optionalInteger("approved_at")
        approvedBy = try row.optionalText("approved_by")
        labels = try NodeLabels(stored: row.text("labels"))
    }
}

/// The name and the keys of a machine. None of them changes while the machine is known.
package struct NodeIdentity: Sendable, Hashable {
    /// The operator's name for the machine.
    package let name: String
    /// Why the endorsement key is believed to be a TPM's.
    package let endorsement: Endorsement
    /// SHA-256 of the endorsement key's SubjectPublicKeyInfo.
    package let endorsementKeyDigest: [UInt8]
    /// The endorsement key, TPMT_PUBLIC.
    package let endorsementKey: [UInt8]
    /// Its certificate, DER, if it has one.
    package let endorsementCertificate: [UInt8]?
    /// The Name of the attestation key, computed here.
    package let attestationKeyName: [UInt8]
    /// The attestation key, TPMT_PUBLIC.
    package let attestationKey: [UInt8]

    /// Why an endorsement key is believed.
    package enum Endorsement: String, Sendable, Hashable {
        /// A certificate chain to a trust anchor.
        case certificate
        /// An operator registered its digest beforehand.
        case registration
    }

    /// An identity that was checked: the endorsement is good and the Name was computed from the attestation key.
    package init(
        name: String, endorsement: Endorsement, endorsementKeyDigest: [UInt8], endorsementKey: [UInt8],
        endorsementCertificate: [UInt8]?, attestationKeyName: [UInt8], attestationKey: [UInt8]
    ) {
        self.name = name
        self.endorsement = endorsement
        self.endorsementKeyDigest = endorsementKeyDigest
        self.endorsementKey = endorsementKey
        self.endorsementCertificate = endorsementCertificate
        self.attestationKeyName = attestationKeyName
        self.attestationKey = attestationKey
    }

    init(row: SQLRow) throws(StorageError) {
        name = try row.text("name")
        endorsement = try Self.endorsement(row)
        endorsementKeyDigest = try row.bytes("ek_digest")
        endorsementKey = try row.bytes("ek_public")
        endorsementCertificate = try row.optionalBytes("ek_certificate")
        attestationKeyName = try row.bytes("ak_name")
        attestationKey = try row.bytes("ak_public")
    }

    static func endorsement(_ row: SQLRow) throws(StorageError) -> Endorsement {
        guard let endorsement = Endorsement(rawValue: try row.text("endorsement")) else {
            throw StorageError(.unexpectedValue, "a node's endorsement is neither certificate nor registration")
        }
        return endorsement
    }
}
