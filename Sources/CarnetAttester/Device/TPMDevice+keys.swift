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
    ///
    /// - Parameter state: The only state in which the TPM is to use the key; another state makes another key.
    public func signingKey(unique: [UInt8], state: KeyState? = nil) throws(TPMDeviceError) -> LoadedKey {
        try boundKey(.sign, .ecdsa(.sha256), unique, state)
    }

    /// A P-256 key for ECDH, derived in the same way.
    public func encryptionKey(unique: [UInt8], state: KeyState? = nil) throws(TPMDeviceError) -> LoadedKey {
        try boundKey(.decrypt, .ecdh(.sha256), unique, state)
    }

    /// A P-256 storage key, derived in the same way: what is sealed to this machine's state is imported under it.
    public func storageKey(unique: [UInt8]) throws(TPMDeviceError) -> LoadedKey {
        try createPrimary(TPM.StorageKeyTemplate.publicArea(x: unique, y: []))
    }

    private func boundKey(
        _ usage: TPM.ObjectAttributes, _ scheme: TPM.KeyScheme, _ unique: [UInt8], _ state: KeyState?
    ) throws(TPMDeviceError) -> LoadedKey {
        var attributes: TPM.ObjectAttributes = [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .noDA]
        attributes.formUnion(usage)
        // A password, even an empty one, would use the key in every state.
        if state == nil { attributes.insert(.userWithAuth) }
        return try createPrimary(
            TPM.Public(
                attributes: attributes, authPolicy: state?.policy ?? [], scheme: scheme,
                key: .ecc(curve: .p256, x: unique, y: [])), state: state)
    }

    /// A primary key of any template in the endorsement hierarchy (TPM2_CreatePrimary), whose password is empty.
    package func createPrimary(_ template: TPM.Public, state: KeyState? = nil) throws(TPMDeviceError) -> LoadedKey {
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
            return LoadedKey(
                publicArea: try TPM.Public(parsing: bytes), state: state, handle: handle, device: self)
        } catch {
            try? call("TPM2_FlushContext") { context in Esys_FlushContext(context, handle) }
            throw invalid("The answer to TPM2_CreatePrimary")
        }
    }
}
