/// Whether the firmware enforced Secure Boot.
public enum SecureBootState: String, Sendable, Hashable {
    case enabled
    case disabled
    /// The log does not say, or says it in a way that cannot be believed.
    case unknown
}

extension ReplayedEventLog {
    /// What the measured variable SecureBoot says: exactly one measurement of it in PCR 7, bound by its digest, one byte, before the
    /// separator. Believe it once the quote confirmed PCR 7.
    public var secureBoot: SecureBootState {
        var state: SecureBootState?
        for event in log.events where event.pcr == 7 && event.isMeasured {
            if event.untrustedType == .separator { break }
            guard let variable = UEFIVariable(parsing: event.untrustedData), variable.name == "SecureBoot",
                variable.vendor == UEFIVariable.globalVendor
            else { continue }
            guard state == nil, event.untrustedType == .efiVariableDriverConfig, event.binding(in: bank) == .bound
            else {
                return .unknown
            }
            switch Array(variable.data) {
            case [1]: state = .enabled
            case [0]: state = .disabled
            default: return .unknown
            }
        }
        return state ?? .unknown
    }
}
