/// Whether the firmware enforced Secure Boot.
public enum SecureBootState: String, Sendable, Hashable {
    case enabled
    case disabled
    /// The log does not say, or says it in a way that cannot be believed.
    case unknown
}

extension ReplayedEventLog {
    /// What the measured variable SecureBoot says. Believe it once the quote confirmed PCR 7.
    ///
    /// Only what firmware does is believed (PC Client Platform Firmware Profile 1.06, §3.3.4.8), told by digests and not by labels: of the
    /// variables in PCR 7 SecureBoot comes first, one byte, once; PK, KEK and db follow; then one separator. Everything before the
    /// separator is covered by its digest. What was extended later, from a running system, changes nothing.
    public var secureBoot: SecureBootState {
        var state: SecureBootState?
        var databases: Set<String> = []
        var isOver = false
        for event in log.events where event.pcr == 7 && event.isMeasured {
            switch event.content(in: bank) {
            case .separator:
                guard !isOver else { return .unknown }
                isOver = true
            case .variable(let variable) where !isOver:
                guard variable.isSecureBoot else {
                    guard state != nil else { return .unknown }
                    databases.insert(variable.name)
                    continue
                }
                guard state == nil, let read = SecureBootState(measured: variable.data) else { return .unknown }
                state = read
            case .variable(let variable): guard !variable.isSecureBoot else { return .unknown }
            case .shimAuthority: guard isOver else { return .unknown }
            case .data: continue
            case .errorSeparator, .opaque: return .unknown
            }
        }
        guard isOver, databases.isSuperset(of: ["PK", "KEK", "db"]) else { return .unknown }
        return state ?? .unknown
    }
}

extension SecureBootState {
    fileprivate init?(measured value: ArraySlice<UInt8>) {
        switch Array(value) {
        case [1]: self = .enabled
        case [0]: self = .disabled
        default: return nil
        }
    }
}

extension UEFIVariable {
    /// Whether this is the global variable that says whether Secure Boot is enforced.
    public var isSecureBoot: Bool { name == "SecureBoot" && vendor == Self.globalVendor }
}
