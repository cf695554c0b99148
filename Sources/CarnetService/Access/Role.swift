/// What an API token is for.
public enum Role: String, Sendable, Hashable, CaseIterable {
    /// May look at everything an operator sees.
    case viewer
    /// May also write and activate policies.
    case policyAuthor = "policy-author"
    /// May also approve and remove nodes, register endorsement keys, and give out API tokens.
    case admin
    /// May ask for background checks, and nothing else. No operator role includes it: a result's audience is the relying
    /// party's own name.
    case relyingParty = "relying-party"

    /// The role that somebody names. `author` is another word for `policy-author`, which is what is kept and shown.
    public init?(named name: String) { self.init(rawValue: name == "author" ? Self.policyAuthor.rawValue : name) }

    /// The order of the operators' roles; `nil` for a role that is no operator's.
    var operatorRank: Int? {
        switch self {
        case .viewer: 0
        case .policyAuthor: 1
        case .admin: 2
        case .relyingParty: nil
        }
    }
}
