public import CarnetEvidence
internal import Cryptography
public import TPM2

/// Gathers evidence from a TPM for one challenge.
public struct EvidenceCollector: Sendable {
    public let device: TPMDevice
    public let state: AttesterState

    /// A collector with the keys of a state.
    public init(device: TPMDevice, state: AttesterState) {
        self.device = device
        self.state = state
    }

    /// The name of the attestation key.
    public func attestationKeyName() throws(TPMDeviceError) -> TPM.Name {
        try device.attestationKey(state.attestationKey).publicArea.name
    }

    /// Quotes the PCRs and certifies the two bound keys, all for the same nonce.
    ///
    /// - Parameter eventLog: The firmware's log, read before the quote.
    /// - Throws: ``TPMDeviceError`` also when the PCRs keep moving between their reading and the quote.
    public func collect(
        nonce: [UInt8], selection: TPM.PCRSelectionList, eventLog: [UInt8]?
    ) throws(TPMDeviceError) -> Evidence {
        let attestationKey = try device.attestationKey(state.attestationKey)
        // One key at a time: a TPM without a resource manager has three slots.
        let signing = try point(device.signingKey(unique: state.signingUnique))
        let encryption = try point(device.encryptionKey(unique: state.encryptionUnique))
        let bound = BoundKeys.encode(confirmation: signing, encryption: encryption)
        let data = QualifyingData.ofCertification(nonce: nonce, bound: bound)
        let keyAttestation = try certify(device.signingKey(unique: state.signingUnique), by: attestationKey, data)
        let encryptionAttestation = try certify(
            device.encryptionKey(unique: state.encryptionUnique), by: attestationKey, data)
        let quoteData = QualifyingData.ofQuote(nonce: nonce, bound: bound)
        for _ in 0..<5 {
            let values = try device.readPCRs(selection)
            let quote = try device.quote(selection, by: attestationKey, qualifyingData: quoteData)
            guard try device.readPCRs(selection) == values else { continue }
            return Evidence(
                attestationKey: attestationKey.publicArea.name,
                quote: .init(attest: quote.attest, signature: quote.signature),
                pcrs: values, eventLog: eventLog, bound: bound, keyAttestation: keyAttestation,
                encryptionKeyAttestation: encryptionAttestation)
        }
        throw TPMDeviceError(
            .busy, device: device.name,
            "The PCRs of \(device.name) keep changing while they are read. Try again when the machine has finished booting."
        )
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
