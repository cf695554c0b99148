package import StrictEncoding

/// What an operator did.
package struct OperatorAction: LedgerFact, Hashable {
    /// What can be done; each service names its own.
    package struct Action: Sendable, Hashable {
        /// The word for it, as `api-token.create`.
        package let name: String

        /// An action.
        package init(_ name: String) { self.name = name }

        package static let tokenCreated = Action("api-token.create")
        package static let tokenRevoked = Action("api-token.revoke")
        /// A token was shown after its end, for the first time.
        package static let tokenExpired = Action("api-token.expire")
        package static let ledgerAccepted = Action("ledger.accept")
    }

    /// What was done.
    package let action: Action
    /// To what: an identifier, a digest in hexadecimal, a name.
    package let target: String
    /// Whether it was done; an attempt that was refused is told as well.
    package let isDone: Bool
    /// More about it, by name.
    package let details: [String: String]
    /// The identifier of the operator's API token, or a word such as `command-line`.
    package let by: String

    /// An action.
    package init(
        _ action: Action, _ target: String, by: String, isDone: Bool = true, details: [String: String] = [:]
    ) {
        self.action = action
        self.target = target
        self.by = by
        self.isDone = isDone
        self.details = details
    }

    package var kind: String { "operation" }
    package var subject: String? { target }
    package var actor: String? { by }

    package func write(to writer: inout JSONWriter, actorName: String?) {
        writer.actor(by, actorName)
        writer.string("action", action.name)
        writer.string("target", target)
        writer.string("outcome", isDone ? "done" : "refused")
        guard !details.isEmpty else { return }
        writer.object("details") { writer in
            for (name, value) in details.sorted(by: { $0.key < $1.key }) { writer.string(named: name, value) }
        }
    }
}
