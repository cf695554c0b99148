/// Whether the firmware enforced Secure Boot.
public enum SecureBootState: String, Sendable, Hashable {
    case enabled
    case disabled
    /// The log does not say, or says it in a way that cannot be believed.
    case unknown
}

/// PCR 7, read once: its measured events in their order, each with what the digests say that it measured.
public struct SecureBootMeasurements: Sendable {
    /// The events, those of type EV_NO_ACTION left out.
    public let events: [(event: Event, content: MeasuredContent)]

    /// Reads PCR 7 of a log that was replayed.
    public init(_ replay: ReplayedEventLog) {
        events = replay.log.events.filter { $0.pcr == 7 && $0.isMeasured }.map { ($0, $0.content(in: replay.bank)) }
    }

    /// What the measured variable SecureBoot says. Believe it once the quote confirmed PCR 7.
    ///
    /// Only what firmware does is believed (PC Client Platform Firmware Profile 1.06, §3.3.4.8), told by digests and not by labels: of the
    /// variables in PCR 7 SecureBoot comes first, one byte, once; PK, KEK and db follow; then one separator. Everything before the
    /// separator is covered by its digest. What was extended later, from a running system, changes nothing.
    public var state: SecureBootState {
        var state: SecureBootState?
        var hasPlatformKey = false, hasExchangeKeys = false, hasDatabase = false, isOver = false
        for (_, content) in events {
            switch content {
            case .separator:
                guard !isOver else { return .unknown }
                isOver = true
            case .variable(let variable) where variable.isSecureBoot:
                guard !isOver, state == nil, let read = SecureBootState(measured: variable.data) else {
                    return .unknown
                }
                state = read
            case .variable(let variable) where !isOver:
                guard state != nil else { return .unknown }
                hasPlatformKey = hasPlatformKey || variable.isNamed("PK")
                hasExchangeKeys = hasExchangeKeys || variable.isNamed("KEK")
                hasDatabase = hasDatabase || variable.isNamed("db")
            case .variable, .data: continue
            case .shimAuthority: guard isOver else { return .unknown }
            case .errorSeparator, .opaque: return .unknown
            }
        }
        return isOver && hasPlatformKey && hasExchangeKeys && hasDatabase ? state ?? .unknown : .unknown
    }
}

extension ReplayedEventLog {
    /// Whether Secure Boot was enforced: ``SecureBootMeasurements/state``.
    public var secureBoot: SecureBootState { SecureBootMeasurements(self).state }
}

extension SecureBootState {
    fileprivate init?(measured value: ArraySlice<UInt8>) {
        guard value.count == 1, let byte = value.first, byte <= 1 else { return nil }
        self = byte == 1 ? .enabled : .disabled
    }
}
