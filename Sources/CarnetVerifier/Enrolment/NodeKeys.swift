import CarnetRecords
import CarnetEvidence
import CarnetStorage
import TPM2

/// The keys of a machine, as they were stored.
enum NodeKeys {
    /// The attestation key, checked again: rules may have become stricter since it was enrolled.
    static func attestationKey(of identity: NodeIdentity) throws -> AttestationKey {
        let endorsementKey = try TPM.Public(parsing: identity.endorsementKey)
        let key = try AttestationKey(
            checking: TPM.Public(parsing: identity.attestationKey), endorsementKey: endorsementKey.name)
        guard key.name.bytes == identity.attestationKeyName else {
            throw StorageError(.unexpectedValue, "an attestation key does not have the Name that is stored with it")
        }
        return key
    }
}
