public import CarnetService

/// Who may ask the agent for what: root and the agent's own user for everything, and whomever a rule names.
public struct PeerRules: Sendable, Hashable {
    private let owner: UInt32
    private let rules: [PeerRule]

    /// Rules beside those for root and `owner`.
    public init(owner: UInt32, _ rules: [PeerRule] = []) {
        self.owner = owner
        self.rules = rules
    }

    /// Whether a process may make a call. One of which the kernel tells nothing may make none.
    public func admits(_ peer: LocalPeer?, to call: LocalCall) -> Bool {
        guard let peer else { return false }
        if peer.user == 0 || peer.user == owner { return true }
        return rules.contains { $0.calls.contains(call) && $0.admits(peer) }
    }

    /// Whether anybody else than root and the owner may make any call: then they have to be able to connect.
    public var admitsOthers: Bool { rules.contains { $0.who != .user(0) && $0.who != .user(owner) } }
}
