/// What a subscription can be told: the member `type` of a message's body.
package enum WebhookEventKind: String, Sendable, Hashable, CaseIterable {
    /// A machine's outcome turned from affirming, or from none, to something worse.
    case nodeFailed = "node.failed"
    /// It turned back to affirming.
    case nodeRecovered = "node.recovered"
    /// Passports were withdrawn.
    case passportsRevoked = "passports.revoked"
    /// A policy became active, or ceased to be.
    case policyChanged = "policy.changed"
    /// An operator tries whether messages arrive. Every subscription has it.
    case test = "webhook.test"

    /// What a subscription can name.
    package static let subscribable: [Self] = [.nodeFailed, .nodeRecovered, .passportsRevoked, .policyChanged]

    /// Reads what a subscription names, separated by blanks. What a newer program knows is left out.
    static func list(stored text: String) -> [Self] {
        text.split(separator: " ").compactMap { Self(rawValue: String($0)) }
    }
}
