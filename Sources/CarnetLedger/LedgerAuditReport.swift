/// What an audit found.
public struct LedgerAuditReport: Sendable {
    /// How many entries were read.
    public let entryCount: Int64
    /// The last entry of each chain that was read.
    public let heads: [LedgerHead]
    /// How many of the entries came after the last checkpoint: a cut there would not be seen.
    public let uncheckpointedCount: Int64
    public let checkpointCount: Int
    /// The last checkpoint.
    public let lastCheckpoint: LedgerCheckpoint?
    /// What is wrong, at most ``LedgerAudit/maximumFaultCount`` of it.
    public let faults: [LedgerFault]
    /// How much is wrong.
    public let faultCount: Int

    /// Whether nothing is wrong.
    public var isSound: Bool { faultCount == 0 }
}
