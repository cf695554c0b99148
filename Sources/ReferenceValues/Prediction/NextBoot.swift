internal import Cryptography
public import MeasurementLogs
public import TPM2

/// What the PCRs will hold when files of a machine are replaced, told from its last log and the new files alone.
///
/// Old files are found by what the log calls them and where they stand, so look at ``changes`` before you believe a prediction; the log
/// must be one of a machine that you trust. What new files make firmware or a boot loader do besides cannot be foretold.
public struct NextBoot: Sendable {
    /// One event that will have another digest.
    public struct Change: Sendable, Hashable {
        /// What is replaced, as in `kernel`.
        public let what: String
        /// The event's number in the log.
        public let event: Int
        /// The event's PCR.
        public let pcr: Int
        /// What the log says about the event; no digest covers it.
        public let untrustedSummary: String
        /// The digest that it has.
        public let old: [UInt8]
        /// The digest that it will have; `nil` for a section that will not be.
        public let new: [UInt8]?
    }

    /// The last boot.
    public let replay: ReplayedEventLog
    /// What the last boot measured.
    public let boot: MeasuredBoot
    /// The events that were touched, in the order in which files were replaced.
    public internal(set) var changes: [Change] = []
    /// Sentences about what cannot be told from the log and the new files.
    public internal(set) var notes: [String] = []
    var prediction: BootPrediction
    let hash: HashAlgorithm

    /// The boot as it was; `nil` for a bank that Carnet does not compute.
    public init?(after replay: ReplayedEventLog) {
        guard let hash = replay.bank.hash, let prediction = BootPrediction(replay) else { return nil }
        self.replay = replay
        self.hash = hash
        self.prediction = prediction
        boot = MeasuredBoot(replay)
    }

    /// The bank of the prediction.
    public var bank: TPM.AlgorithmID { replay.bank }
    /// The PCRs that the log extends, of 0 to 23.
    public var pcrs: [Int] { (0..<24).filter { replay.eventCount(ofPCR: $0) > 0 } }
    /// The PCRs that will hold another value.
    public var changedPCRs: [Int] { prediction.changedPCRs }

    /// What a PCR, 0 to 23, will hold.
    public func value(ofPCR pcr: Int) -> [UInt8] { prediction.value(ofPCR: pcr) }

    /// Gives every event of a PCR that has one digest another one.
    mutating func replace(_ what: String, _ old: some Sequence<UInt8>, by new: [UInt8], in pcr: Int) {
        let old = Array(old)
        guard old != new, prediction.replace(old, by: new, in: [pcr]) > 0 else { return }
        record(what, old, new, pcr)
    }

    mutating func record(_ what: String, _ old: [UInt8], _ new: [UInt8]?, _ pcr: Int) {
        for event in replay.log.events where event.isMeasured && event.pcr == pcr {
            guard event.digest(in: bank)?.elementsEqual(old) == true else { continue }
            changes.append(
                Change(
                    what: what, event: event.index, pcr: pcr, untrustedSummary: event.summary(in: bank), old: old,
                    new: new))
        }
    }
}

/// Why a file cannot be replaced in a prediction.
public enum NextBootError: Error, Hashable, CustomStringConvertible {
    /// The last boot has nothing of this kind.
    case notFound(String)
    /// The last boot has several different ones.
    case ambiguous(String, count: Int)

    /// A sentence.
    public var description: String {
        switch self {
        case .notFound(let what): "the log shows no \(what)"
        case .ambiguous(let what, let count): "the log shows \(count) different ones of this kind: \(what)"
        }
    }
}
