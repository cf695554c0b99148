internal import Cryptography
internal import CTSS2
public import TPM2

extension TPMDevice {
    /// The families of attestation keys.
    public enum AttestationKeyKind: String, Sendable, CaseIterable {
        case eccP256 = "ecc"
        case rsa2048 = "rsa"
    }

    /// The endorsement key that the TCG's template derives from the TPM's endorsement seed.
    ///
    /// A template or a nonce that the maker stored is honoured, since its certificate is for the key made from it.
    public func endorsementKey(_ template: TPM.EndorsementKeyTemplate) throws(TPMDeviceError) -> LoadedKey {
        if let stored = try readNV(template.templateIndex) {
            guard let area = try? TPM.Public(parsing: stored) else {
                throw invalid("The template that the maker stored")
            }
            return try createPrimary(area)
        }
        guard let nonce = try readNV(template.nonceIndex) else { return try createPrimary(template.publicArea) }
        return try createPrimary(template.publicArea(nonce: nonce))
    }

    // All keys are exempt from the protection against dictionary attacks: their password is empty, and a TPM that counts each loss of
    // power while such a key is loaded as a failed attempt (Part 1, "Dictionary Attack Protection") would lock itself out.

    /// The attestation key of a kind: restricted, in the endorsement hierarchy, the same at every call until the TPM is cleared.
    public func attestationKey(_ kind: AttestationKeyKind = .eccP256) throws(TPMDeviceError) -> LoadedKey {
        let attributes: TPM.ObjectAttributes = [
            .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .noDA, .restricted, .sign,
        ]
        switch kind {
        case .eccP256:
            return try createPrimary(
                TPM.Public(attributes: attributes, scheme: .ecdsa(.sha256), key: .ecc(curve: .p256, x: [], y: [])))
        case .rsa2048:
            return try createPrimary(
                TPM.Public(
                    attributes: attributes, scheme: .rsassa(.sha256), key: .rsa(bits: 2048, exponent: 0, modulus: [])))
        }
    }

    /// A P-256 key that signs anything (ES256), derived from the endorsement seed and `unique`: the same value gives the same key, so
    /// that nothing secret has to be stored.
    public func signingKey(unique: [UInt8]) throws(TPMDeviceError) -> LoadedKey {
        try createPrimary(
            TPM.Public(
                attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .noDA, .sign],
                scheme: .ecdsa(.sha256), key: .ecc(curve: .p256, x: unique, y: [])))
    }

    /// A P-256 key for ECDH, derived in the same way.
    public func encryptionKey(unique: [UInt8]) throws(TPMDeviceError) -> LoadedKey {
        try createPrimary(
            TPM.Public(
                attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .noDA, .decrypt],
                scheme: .ecdh(.sha256), key: .ecc(curve: .p256, x: unique, y: [])))
    }

    /// A primary key of any template in the endorsement hierarchy (TPM2_CreatePrimary), whose password is empty.
    package func createPrimary(_ template: TPM.Public) throws(TPMDeviceError) -> LoadedKey {
        guard
            var area = Wire.structure(
                TPM2B_PUBLIC(), Wire.sized(template.bytes), Tss2_MU_TPM2B_PUBLIC_Unmarshal)
        else { throw invalid("The template") }
        var sensitive = TPM2B_SENSITIVE_CREATE(), outside = TPM2B_DATA(), selection = TPML_PCR_SELECTION()
        var handle: UInt32 = 0
        var output: UnsafeMutablePointer<TPM2B_PUBLIC>?
        try call("TPM2_CreatePrimary") { context in
            Esys_CreatePrimary(
                context, Self.endorsement, Self.password, Self.none, Self.none, &sensitive, &area, &outside, &selection,
                &handle, &output, nil, nil, nil)
        }
        let bytes = try take(output) { pointer in
            // The public area lies behind the TPM2B's size; its offset is that of the C structure.
            let offset = MemoryLayout<TPM2B_PUBLIC>.offset(of: \.publicArea) ?? 0
            let inner = (UnsafeRawPointer(pointer) + offset).assumingMemoryBound(to: TPMT_PUBLIC.self)
            return Wire.bytes(inner, Tss2_MU_TPMT_PUBLIC_Marshal)
        }
        do {
            return LoadedKey(publicArea: try TPM.Public(parsing: bytes), handle: handle, device: self)
        } catch {
            try? call("TPM2_FlushContext") { context in Esys_FlushContext(context, handle) }
            throw invalid("The answer to TPM2_CreatePrimary")
        }
    }
}
