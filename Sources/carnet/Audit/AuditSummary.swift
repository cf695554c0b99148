import CarnetCommandLine
import CarnetLedger
import StrictEncoding

/// What an audit found, for people and for programs.
struct AuditSummary: Encodable {
    /// One thing that is wrong.
    struct Fault: Encodable {
        let kind: String
        let chain: String?
        let number: Int64?
        let reason, remedy: String
    }

    /// The last entry of a chain.
    struct Head: Encodable {
        let chain: String
        let number: Int64
        let hash: String
    }

    let sound: Bool
    let entries, afterLastCheckpoint: Int64
    let checkpoints: Int
    let lastCheckpoint: String?
    let heads: [Head]
    let faultCount: Int
    let faults: [Fault]

    init(_ report: LedgerAuditReport) {
        sound = report.isSound
        entries = report.entryCount
        afterLastCheckpoint = report.uncheckpointedCount
        checkpoints = report.checkpointCount
        lastCheckpoint = report.lastCheckpoint.map { RFC3339.format($0.issuedAt) }
        heads = report.heads.map { Head(chain: $0.chain, number: $0.number, hash: Hexadecimal.encode($0.hash)) }
        faultCount = report.faultCount
        faults = report.faults.map {
            Fault(kind: $0.kind.rawValue, chain: $0.chain, number: $0.number, reason: $0.reason, remedy: $0.remedy)
        }
    }

    /// Prints it.
    func printLines() {
        let time = lastCheckpoint.map { ", the last of \($0)" } ?? ""
        Output.line(
            "\(entries) entries in \(heads.count) \(heads.count == 1 ? "chain" : "chains"), \(checkpoints) checkpoints\(time)"
        )
        if afterLastCheckpoint > 0 { Output.line("\(afterLastCheckpoint) entries are newer than the last checkpoint") }
        guard !sound else { return Output.line("Nothing was changed, removed or reordered") }
        for fault in faults {
            let place = [
                fault.chain.map { "chain \($0)" },
                fault.number.map { number in
                    fault.chain == nil ? "checkpoint \(number)" : "entry \(number)"
                },
            ].compactMap(\.self).joined(separator: ", ")
            Output.line("BROKEN \(place.isEmpty ? "" : place + ": ")\(fault.reason) (\(fault.kind))")
        }
        if faultCount > faults.count { Output.line("and \(faultCount - faults.count) more") }
        for remedy in Set(faults.map(\.remedy)).sorted() { Output.line("→ \(remedy).") }
    }
}
