import MeasurementLogs
import StrictEncoding
import TPM2

/// The events of a log as they are printed, with what of them a digest vouches for.
struct EventList {
    /// An event; its type and its summary are the log's word.
    struct Entry: Encodable {
        let index: Int
        let pcr: Int
        let untrustedType: String
        let digest: String?
        let binding: String
        let summary: String
    }

    let entries: [Entry]
    private let areMeasured: [Bool]

    /// The events of a log, with their digests in one bank.
    init(_ log: EventLog, _ bank: TPM.AlgorithmID) {
        entries = log.events.map { event in
            Entry(
                index: event.index, pcr: event.pcr, untrustedType: event.untrustedType.description,
                digest: event.isMeasured ? event.digest(in: bank).map { Hexadecimal.encode($0) } : nil,
                binding: "\(event.binding(in: bank))", summary: event.summary(in: bank))
        }
        areMeasured = log.events.map(\.isMeasured)
    }

    /// The headings of a table of them, and its rows.
    static let headings = ["event", "PCR", "data", "what"]
    var rows: [[String]] {
        zip(entries, areMeasured).map { entry, isMeasured in
            [String(entry.index), String(entry.pcr), isMeasured ? entry.binding : "not measured", entry.summary]
        }
    }
}
