package import StrictEncoding

/// Something that a ledger can tell. It becomes one entry: kind, subject, and a body that is one JSON object with its members in a fixed
/// order.
package protocol LedgerFact: Sendable {
    /// The word for what happened.
    var kind: String { get }
    /// What it is about.
    var subject: String? { get }
    /// The challenge that it consumes, SHA-256: no second entry can have it.
    var challenge: [UInt8]? { get }
    /// The identifier of the API token with which it was done, or a word such as `command-line`.
    var actor: String? { get }
    /// Writes the members of the body, strings in UTF-8.
    ///
    /// - Parameter actorName: The name of the actor's API token at this moment.
    func write(to writer: inout JSONWriter, actorName: String?)
}

extension LedgerFact {
    /// Most consume none.
    package var challenge: [UInt8]? { nil }
}

/// An event, before it has its place in the ledger.
package struct LedgerEvent: Sendable {
    /// What it tells.
    package let fact: any LedgerFact

    /// An event that tells this.
    package init(_ fact: any LedgerFact) { self.fact = fact }

    /// An operator changed something.
    package static func operation(_ action: OperatorAction) -> LedgerEvent { LedgerEvent(action) }
    /// A service began or ended.
    package static func service(_ step: ServiceStep) -> LedgerEvent { LedgerEvent(step) }
    /// A key of the service changed its state.
    package static func key(_ step: KeyStep) -> LedgerEvent { LedgerEvent(step) }
    /// Old entries were dropped.
    package static func prune(_ pruning: LedgerPruning) -> LedgerEvent { LedgerEvent(pruning) }

    /// The entry's body.
    package func body(actorName: String?) -> [UInt8] {
        JSONWriter.object { fact.write(to: &$0, actorName: actorName) }
    }
}

extension JSONWriter {
    /// Who did it: the API token's identifier, and the name that it had.
    package mutating func actor(_ id: String, _ name: String?) {
        object("by") { writer in
            writer.string("id", id)
            if let name { writer.string("name", name) }
        }
    }
}
