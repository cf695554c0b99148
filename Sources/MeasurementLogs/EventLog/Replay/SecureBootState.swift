internal import Cryptography
internal import TPM2

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
        guard let algorithm = bank.hash else { return .unknown }
        var reader = SecureBootReader()
        let hash = RepeatedHash(algorithm)
        for index in log.records.indices where log.records[index].pcr == 7 {
            let event = log[index]
            if event.isMeasured { reader.read(event.content(in: bank, hash)) }
        }
        return reader.result
    }
}

/// The rules of ``ReplayedEventLog/secureBoot``, fed with each measured event of PCR 7.
struct SecureBootReader {
    private var state: SecureBootState?
    private var databases: Set<String> = []
    private var isOver = false
    private var isBroken = false

    mutating func read(_ content: MeasuredContent) {
        guard !isBroken else { return }
        isBroken = !follows(content)
    }

    var result: SecureBootState {
        guard !isBroken, isOver, databases.isSuperset(of: ["PK", "KEK", "db"]) else { return .unknown }
        return state ?? .unknown
    }

    /// Whether firmware and boot loaders do this here.
    private mutating func follows(_ content: MeasuredContent) -> Bool {
        switch content {
        case .separator:
            guard !isOver else { return false }
            isOver = true
        case .variable(let variable) where !isOver:
            guard variable.isSecureBoot else {
                guard state != nil else { return false }
                databases.insert(variable.name)
                return true
            }
            guard state == nil, let read = SecureBootState(measured: variable.data) else { return false }
            state = read
        case .variable(let variable): return !variable.isSecureBoot
        case .shimAuthority: return isOver
        case .data: return true
        case .errorSeparator, .opaque: return false
        }
        return true
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
