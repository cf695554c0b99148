/// A caller whose credential was checked.
public struct Principal: Sendable, Hashable {
    /// The identifier of the API token, which is no secret.
    public let id: String
    /// The name under which the token was given out: a person, a program, or a relying party's audience.
    public let name: String
    /// What the token is for.
    public let role: Role

    /// A caller. Only an ``Authenticator`` has reason to make one.
    public init(id: String, name: String, role: Role) {
        self.id = id
        self.name = name
        self.role = role
    }
}

/// Knows whose an API token is.
public protocol Authenticator: Sendable {
    /// The caller who holds `token`, or `nil` when nobody does. Secrets are compared in constant time.
    ///
    /// - Throws: When the question cannot be answered now. The request is then refused.
    func principal(holding token: String) async throws -> Principal?
}
