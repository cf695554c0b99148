package import StrictEncoding

/// What was dropped of the ledger.
package struct LedgerPruning: LedgerFact, Hashable {
    /// Entries from before this time were to go, in seconds since 1970.
    package let before: Int64
    /// The checkpoint at whose heads the chains begin now.
    package let checkpoint: Int64
    /// How many entries were dropped.
    package let count: Int64
    /// The identifier of the operator's API token.
    package let by: String

    package var kind: String { "prune" }
    package var subject: String? { nil }
    package var actor: String? { by }

    package func write(to writer: inout JSONWriter, actorName: String?) {
        writer.actor(by, actorName)
        writer.integer("before", before)
        writer.integer("checkpoint", checkpoint)
        writer.integer("entries", count)
    }
}
