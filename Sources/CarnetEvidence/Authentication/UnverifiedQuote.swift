internal import TPM2

/// A quote that was read, with all that came along: nobody has looked at its signature.
public struct UnverifiedQuote: Sendable {
    public let evidence: Evidence
    let attest: TPM.Attest
    let signature: TPM.Signature
    let bound: BoundKeys.Claimed
    let confirmationProof: CertificationProof?
    let encryptionProof: CertificationProof?
    let storageProof: CertificationProof?

    /// A certification that was read.
    struct CertificationProof: Sendable {
        let area: TPM.Public
        let attest: TPM.Attest
        let signature: TPM.Signature
    }

    /// Reads the TPM structures of evidence.
    ///
    /// - Throws: ``EvidenceError`` for bytes that are not the structures that they should be.
    public init(_ evidence: Evidence) throws(EvidenceError) {
        self.evidence = evidence
        attest = try Self.read("quote.attest") { () throws(TPM.ParseError) in
            try TPM.Attest(parsing: evidence.quote.attest)
        }
        signature = try Self.read("quote.signature") { () throws(TPM.ParseError) in
            try TPM.Signature(parsing: evidence.quote.signature)
        }
        bound = try BoundKeys.Claimed(parsing: evidence.bound)
        confirmationProof = try Self.read(evidence.keyAttestation, "key_attestation")
        encryptionProof = try Self.read(evidence.encryptionKeyAttestation, "encryption_key_attestation")
        storageProof = try Self.read(evidence.storageKeyAttestation, "storage_key_attestation")
        if encryptionProof != nil, bound.encryption == nil {
            throw EvidenceError("encryption_key_attestation", "certifies a key that bound does not name")
        }
        if storageProof != nil, bound.storage == nil {
            throw EvidenceError("storage_key_attestation", "certifies a key that bound does not name")
        }
    }

    private static func read(
        _ attestation: Evidence.KeyAttestation?, _ path: String
    ) throws(EvidenceError) -> CertificationProof? {
        guard let attestation else { return nil }
        return CertificationProof(
            area: try read(path + ".public") { () throws(TPM.ParseError) in
                try TPM.Public(parsing: attestation.publicArea)
            },
            attest: try read(path + ".certify") { () throws(TPM.ParseError) in
                try TPM.Attest(parsing: attestation.certification.attest)
            },
            signature: try read(path + ".signature") { () throws(TPM.ParseError) in
                try TPM.Signature(parsing: attestation.certification.signature)
            })
    }

    private static func read<Structure>(
        _ member: String, _ parse: () throws(TPM.ParseError) -> Structure
    ) throws(EvidenceError) -> Structure {
        do {
            return try parse()
        } catch {
            throw EvidenceError(member, "\(error)")
        }
    }
}
