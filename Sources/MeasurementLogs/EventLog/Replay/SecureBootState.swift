internal import Cryptography
internal import TPM2

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
        guard let algorithm = replay.bank.hash else {
            events = []
            return
        }
        let hash = RepeatedHash(algorithm), records = replay.log.records
        events = records.indices.filter { records[$0].pcr == 7 }.map { replay.log[$0] }.filter(\.isMeasured)
            .map { ($0, $0.content(in: replay.bank, hash)) }
    }

    /// What the measured variable SecureBoot says. Believe it once the quote confirmed PCR 7.
    ///
    /// Only what firmware does is believed (PC Client Platform Firmware Profile 1.06, §3.3.4.8), told by digests and not by labels: of the
    /// variables in PCR 7 SecureBoot comes first, one byte, once; PK, KEK and db follow; then one separator. Everything before the
    /// separator is covered by its digest. What was extended later, from a running system, changes nothing.
    public var state: SecureBootState {
        var reader = SecureBootReader()
        for (_, content) in events { reader.read(content) }
        return reader.result
    }
}

/// The rules of ``SecureBootMeasurements/state``, fed with each measured event of PCR 7.
struct SecureBootReader {
    private var state: SecureBootState?
    private var hasPlatformKey = false
    private var hasExchangeKeys = false
    private var hasDatabase = false
    private var isOver = false
    private var isBroken = false

    mutating func read(_ content: MeasuredContent) {
        guard !isBroken else { return }
        isBroken = !follows(content)
    }

    var result: SecureBootState {
        guard !isBroken, isOver, hasPlatformKey, hasExchangeKeys, hasDatabase else { return .unknown }
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
                hasPlatformKey = hasPlatformKey || variable.isNamed("PK")
                hasExchangeKeys = hasExchangeKeys || variable.isNamed("KEK")
                hasDatabase = hasDatabase || variable.isNamed("db")
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
