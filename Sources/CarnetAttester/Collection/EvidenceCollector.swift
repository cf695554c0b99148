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

    /// Quotes the PCRs, certifies the two bound keys for the same nonce, and gathers the logs that are wanted.
    ///
    /// The firmware's log is read first: nothing is added to it once the system runs. The kernel's list and systemd's log grow at any
    /// time. The kernel lists an entry before it extends the PCR (`ima_add_template_entry`), and systemd holds its log's lock while it
    /// does both: read after the quote, they hold at least what it covers.
    ///
    /// - Throws: ``LogError`` when a log that is wanted cannot be read, and ``TPMDeviceError``, also when the PCRs keep moving between
    ///   their reading and the quote.
    public func collect(
        nonce: [UInt8], selection: TPM.PCRSelectionList, requirements: EvidenceRequirements, logs: LogSources
    ) throws -> Evidence {
        let eventLog = try logs.readEventLog(requirements.eventLog)
        let quoted = try quote(nonce: nonce, selection)
        let ima = try logs.readIMAList(from: requirements.imaOffset)
        let runtimeLog = try logs.readRuntimeLog(requirements.runtimeLog)
        return Evidence(
            attestationKey: quoted.attestationKey, quote: quoted.quote, pcrs: quoted.pcrs, eventLog: eventLog,
            runtimeLog: runtimeLog, ima: ima, bound: quoted.bound, keyAttestation: quoted.keyAttestation,
            encryptionKeyAttestation: quoted.encryptionKeyAttestation)
    }

    /// Evidence without logs.
    package func quote(
        nonce: [UInt8], _ selection: TPM.PCRSelectionList
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
                pcrs: values, eventLog: nil, bound: bound, keyAttestation: keyAttestation,
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
