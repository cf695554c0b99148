internal import Cryptography
public import TPM2

/// Whether an event's digest covers its data.
public enum Binding: Sendable, Hashable {
    /// The digest is that of the data: once replayed, the data is as authentic as the quote.
    case bound
    /// The specification lets the digest be of something else: the data is only a hint.
    case unbound
    /// The digest should be that of the data and is not: the data is not what was measured.
    case mismatch
}

extension Event {
    /// Recomputes the digest over the data where the specification binds it (PC Client Platform Firmware Profile 1.06, §10.4.1).
    ///
    /// This hashes the data. The type that selects the rule is itself not covered by any digest; data that is found `bound` was
    /// measured into this PCR at this place, whatever its label.
    public func binding(in bank: TPM.AlgorithmID) -> Binding {
        guard let digest = digest(in: bank), let hash = bank.hash, isMeasured else { return .unbound }
        func covers(_ data: ArraySlice<UInt8>) -> Bool { hash.hash(data).elementsEqual(digest) }
        let data = untrustedData
        if let record = runtimeRecord {
            if covers(data) { return .bound }
            return record.isKeyed || record.untrustedText == nil ? .unbound : .mismatch
        }
        switch untrustedType {
        case .separator, .action, .sCRTMVersion, .omitBootDeviceEvents, .efiVariableDriverConfig, .efiGPTEvent,
            .efiAction, .efiVariableBoot2, .efiVariableAuthority, .efiGPTEvent2, .efiSPDMDevicePolicy,
            .efiSPDMDeviceAuthority:
            return covers(data) ? .bound : .mismatch
        case .efiVariableBoot:
            // Firmware hashes the variable's data only; some hash the whole structure.
            if covers(data) { return .bound }
            return UEFIVariable(parsing: data).map { covers($0.data) } == true ? .bound : .mismatch
        case .ipl where pcr == 8:
            // GRUB hashes the text after its label, without the terminating zero.
            return GRUBCommand(parsing: data).map { covers($0.measuredText) } == true ? .bound : .unbound
        default: return .unbound
        }
    }
}
