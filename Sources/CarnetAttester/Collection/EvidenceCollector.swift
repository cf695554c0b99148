public import CarnetEvidence
internal import Cryptography
public import TPM2

/// Gathers evidence from a TPM for one challenge.
public struct EvidenceCollector: Sendable {
    public let device: TPMDevice
    public let state: AttesterState
    /// Which keys are bound to a passport.
    public let binding: KeyBinding

    /// A collector with the keys of a state.
    public init(device: TPMDevice, state: AttesterState, binding: KeyBinding = KeyBinding()) {
        self.device = device
        self.state = state
        self.binding = binding
    }

    /// The name of the attestation key.
    public func attestationKeyName() throws(TPMDeviceError) -> TPM.Name {
        try device.attestationKey(state.attestationKey).publicArea.name
    }

    /// Quotes the PCRs, certifies the bound keys for the same nonce, and gathers the logs that are wanted.
    ///
    /// The firmware's log is read first: nothing is added to it once the system runs. The kernel's list and systemd's log grow at any
    /// time. The kernel lists an entry before it extends the PCR (`ima_add_template_entry`), and systemd holds its log's lock while it
    /// does both: read after the quote, they hold at least what it covers.
    ///
    /// - Parameter stateSelection: The PCRs to which signing and encryption key are bound, a part of `selection`; `nil` binds them to the
    ///   TPM only.
    /// - Throws: ``LogError`` when a log that is wanted cannot be read, and ``TPMDeviceError``, also when the PCRs keep moving between
    ///   their reading and the quote.
    public func collect(
        nonce: [UInt8], selection: TPM.PCRSelectionList, stateSelection: TPM.PCRSelectionList? = nil,
        requirements: EvidenceRequirements, logs: LogSources
    ) throws -> Evidence {
        let eventLog = try logs.readEventLog(requirements.eventLog)
        let quoted = try quote(nonce: nonce, selection, stateSelection: stateSelection)
        let ima = try logs.readIMAList(from: requirements.imaOffset)
        let runtimeLog = try logs.readRuntimeLog(requirements.runtimeLog)
        return Evidence(
            attestationKey: quoted.attestationKey, quote: quoted.quote, pcrs: quoted.pcrs, eventLog: eventLog,
            runtimeLog: runtimeLog, ima: ima, bound: quoted.bound, keyAttestation: quoted.keyAttestation,
            encryptionKeyAttestation: quoted.encryptionKeyAttestation,
            storageKeyAttestation: quoted.storageKeyAttestation)
    }

    /// Evidence without logs.
    package func quote(
        nonce: [UInt8], _ selection: TPM.PCRSelectionList, stateSelection: TPM.PCRSelectionList? = nil
    ) throws(TPMDeviceError) -> Evidence {
        let attestationKey = try device.attestationKey(state.attestationKey)
        var keys: CertifiedKeys?
        for _ in 0..<5 {
            let values = try device.readPCRs(selection)
            let wanted = try keyState(stateSelection, values)
            // Keys that are bound to other values than are quoted now would be of no use.
            let certified: CertifiedKeys
            if let keys, keys.state == wanted {
                certified = keys
            } else {
                certified = try certify(for: nonce, by: attestationKey, state: wanted)
            }
            keys = certified
            let quote = try device.quote(
                selection, by: attestationKey,
                qualifyingData: QualifyingData.ofQuote(nonce: nonce, bound: certified.bound))
            guard try device.readPCRs(selection) == values else { continue }
            return Evidence(
                attestationKey: attestationKey.publicArea.name,
                quote: .init(attest: quote.attest, signature: quote.signature),
                pcrs: values, eventLog: nil, bound: certified.bound, keyAttestation: certified.signing,
                encryptionKeyAttestation: certified.encryption, storageKeyAttestation: certified.storage)
        }
        throw TPMDeviceError(
            .busy, device: device.name,
            "The PCRs of \(device.name) keep changing while they are read. Try again when the machine has finished booting."
        )
    }

    private func keyState(
        _ selection: TPM.PCRSelectionList?, _ values: [TPM.AlgorithmID: [Int: [UInt8]]]
    ) throws(TPMDeviceError) -> KeyState? {
        guard let selection else { return nil }
        guard let state = KeyState(selection, in: values) else {
            throw TPMDeviceError(
                .refused, device: device.name,
                "The keys cannot be bound to \(selection.text): not all of it is quoted. Ask the verifier's operator.")
        }
        return state
    }
}
