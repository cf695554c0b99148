internal import CarnetEvidence
internal import CarnetResult
internal import Cryptography
internal import TPM2

/// The keys that one exchange binds, certified for its nonce.
struct CertifiedKeys {
    /// To which state signing and encryption key are bound.
    let state: KeyState?
    let bound: [UInt8]
    /// `nil`, as the others, where a key is bound that is not in the TPM.
    var signing: Evidence.KeyAttestation?
    var encryption: Evidence.KeyAttestation?
    var storage: Evidence.KeyAttestation?
}

extension EvidenceCollector {
    /// Derives the keys, writes down their points, and lets the attestation key certify each. One key is loaded at a time: a TPM without
    /// a resource manager has three slots, and the attestation key is in one of them.
    func certify(
        for nonce: [UInt8], by attestationKey: LoadedKey, state keyState: KeyState?
    ) throws(TPMDeviceError) -> CertifiedKeys {
        if let key = binding.foreignKey {
            let bound = BoundKeys.encode(confirmation: (key.x, key.y), encryption: nil)
            return CertifiedKeys(state: keyState, bound: bound)
        }
        func signingKey() throws(TPMDeviceError) -> LoadedKey {
            try device.signingKey(unique: state.signingUnique, state: keyState)
        }
        func encryptionKey() throws(TPMDeviceError) -> LoadedKey {
            try device.encryptionKey(unique: state.encryptionUnique, state: keyState)
        }
        // Another template gives another key, so that the same value serves both.
        func storageKey() throws(TPMDeviceError) -> LoadedKey { try device.storageKey(unique: state.encryptionUnique) }

        let signing = try point(signingKey()), encryption = try point(encryptionKey())
        let storage = binding.includesStorageKey ? try point(storageKey()) : nil
        let bound = BoundKeys.encode(confirmation: signing, encryption: encryption, storage: storage)
        let data = QualifyingData.ofCertification(nonce: nonce, bound: bound)
        return CertifiedKeys(
            state: keyState, bound: bound, signing: try certify(signingKey(), by: attestationKey, data),
            encryption: try certify(encryptionKey(), by: attestationKey, data),
            storage: binding.includesStorageKey ? try certify(storageKey(), by: attestationKey, data) : nil)
    }

    private func point(_ key: LoadedKey) throws(TPMDeviceError) -> (x: [UInt8], y: [UInt8]) {
        defer { key.close() }
        guard let point = try? key.publicArea.publicKey().point else {
            throw TPMDeviceError(.refused, device: device.name, "\(device.name) made a key that is not on P-256.")
        }
        return point
    }

    private func certify(
        _ key: LoadedKey, by attestationKey: LoadedKey, _ data: [UInt8]
    ) throws(TPMDeviceError) -> Evidence.KeyAttestation {
        defer { key.close() }
        let certification = try device.certify(key, by: attestationKey, qualifyingData: data)
        return Evidence.KeyAttestation(
            publicArea: key.publicArea.bytes,
            certification: .init(attest: certification.attest, signature: certification.signature))
    }
}
