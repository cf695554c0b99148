internal import CTSS2
public import TPM2

extension TPMDevice {
    /// Enters a phase: extends a PCR in every active bank, and writes the record that explains it, under the lock of systemd's log.
    ///
    /// - Returns: Whether the log was whole, so that a verifier can explain the PCR.
    /// - Throws: ``DiskError`` for the log, in words that say whether the PCR was extended.
    public func enter(_ phase: BootPhase, pcr: Int = BootPhase.standardPCR, log path: String) throws -> Bool {
        let log = try MeasurementLog(path)
        do {
            let banks = try activeBanks().filter { $0.hash != nil }
            try extend(pcr: pcr, phase.digests(banks))
            try log.append(phase.record(pcr: pcr, banks))
        } catch let error as TPMDeviceError {
            log.abandon()
            throw error
        }
        return !log.isDamaged
    }

    /// The banks that have PCRs (TPM2_GetCapability, TPM_CAP_PCRS).
    public func activeBanks() throws(TPMDeviceError) -> [TPM.AlgorithmID] {
        var more: UInt8 = 0
        var output: UnsafeMutablePointer<TPMS_CAPABILITY_DATA>?
        try call("TPM2_GetCapability") { context in
            Esys_GetCapability(context, Self.none, Self.none, Self.none, TPM2_CAP_PCRS, 0, 16, &more, &output)
        }
        let bytes = try take(output) { Wire.bytes($0, Tss2_MU_TPMS_CAPABILITY_DATA_Marshal) }
        // TPMS_CAPABILITY_DATA: the capability, then TPML_PCR_SELECTION.
        guard let list = try? TPM.PCRSelectionList(parsing: Array(bytes.dropFirst(4))) else {
            throw invalid("The answer to TPM2_GetCapability")
        }
        return list.selections.filter { !$0.indices.isEmpty }.map(\.bank)
    }

    /// Extends a PCR in several banks at once (TPM2_PCR_Extend).
    private func extend(
        pcr: Int, _ digests: [(bank: TPM.AlgorithmID, digest: [UInt8])]
    ) throws(TPMDeviceError) {
        let bytes: [UInt8] = digests.flatMap {
            [UInt8($0.bank.rawValue >> 8), UInt8($0.bank.rawValue & 0xFF)] + $0.digest
        }
        guard !digests.isEmpty,
            var values = Wire.structure(
                TPML_DIGEST_VALUES(), [0, 0, 0, UInt8(clamping: digests.count)] + bytes,
                Tss2_MU_TPML_DIGEST_VALUES_Unmarshal)
        else { throw invalid("The digest") }
        try call("TPM2_PCR_Extend") { context in
            Esys_PCR_Extend(context, UInt32(clamping: pcr), Self.password, Self.none, Self.none, &values)
        }
    }
}
