internal import CarnetAttester

/// What the agent keeps in files for others: the passport while there is one, and the status always.
public struct AgentFiles: Sendable {
    private let passport: SharedFile?
    private let status: SharedFile?

    /// Files; `nil` for one that is not wanted.
    public init(passport: SharedFile?, status: SharedFile?) {
        self.passport = passport
        self.status = status
    }

    /// Removes what an agent left that did not end in order: nobody measured since for how long it may be shown.
    public func begin() throws(AgentStartError) {
        try passport?.remove()
        try status?.remove()
    }

    /// Shows how it stands. What must not be shown goes first, whatever becomes of the rest.
    func show(_ present: KeeperStatus, _ text: [UInt8]) throws(AgentStartError) {
        if let passport {
            if let shown = present.passport { try passport.write(shown.token) } else { try passport.remove() }
        }
        try status?.write(text + [0x0A])
    }

    /// Removes both: when the agent has ended, nobody would take the passport away when it expires.
    func end() {
        try? passport?.remove()
        try? status?.remove()
    }
}
