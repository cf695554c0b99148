internal import CarnetService

/// Who may make which calls.
///
///     passport=user:1000     status=group:adm     proofs=user:vault     status=anybody
public struct PeerRule: Sendable, Hashable {
    /// Whom a rule admits.
    public enum Who: Sendable, Hashable {
        /// A process with this effective user.
        case user(UInt32)
        /// A process with this effective group, or this among its further groups.
        case group(UInt32)
        /// Every process on the machine.
        case anybody
    }

    /// Which calls.
    public let calls: Set<LocalCall>
    /// Who.
    public let who: Who

    /// A rule.
    public init(_ calls: Set<LocalCall>, _ who: Who) {
        self.calls = calls
        self.who = who
    }

    /// Why a rule cannot be used.
    public struct Mistake: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// Reads `CALL=user:NAME`, `CALL=group:NAME` or `CALL=anybody`.
    ///
    /// - Parameter accounts: Knows names; numbers stand for themselves.
    public init(parsing text: String, accounts: Accounts = .system) throws(Mistake) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let call = LocalCall(rawValue: String(parts[0])) else {
            let calls = LocalCall.allCases.map(\.rawValue).joined(separator: ", ")
            throw Mistake(
                description: "\(text) is no rule: write CALL=user:NAME, with one of \(calls) for the call.")
        }
        calls = [call]
        let words = parts[1].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (words.first, words.dropFirst().first) {
        case ("anybody", nil): who = .anybody
        case ("user", let name?): who = .user(try Self.user(name, accounts))
        case ("group", let name?): who = .group(try Self.group(name, accounts))
        default: throw Mistake(description: "\(text) is no rule: whom it admits is user:NAME, group:NAME or anybody.")
        }
    }

    /// A user by name or number.
    public static func user(_ name: String, _ accounts: Accounts = .system) throws(Mistake) -> UInt32 {
        if let number = number(name) { return number }
        guard let number = accounts.user(name) else {
            throw Mistake(description: "There is no user \(name) on this machine.")
        }
        return number
    }

    /// A group by name or number.
    public static func group(_ name: String, _ accounts: Accounts = .system) throws(Mistake) -> UInt32 {
        if let number = number(name) { return number }
        guard let number = accounts.group(name) else {
            throw Mistake(description: "There is no group \(name) on this machine.")
        }
        return number
    }

    /// Digits alone; 2³² − 1 is nobody's number (POSIX, `chown`).
    private static func number(_ text: String) -> UInt32? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt32(text).flatMap { $0 == .max ? nil : $0 }
    }

    func admits(_ peer: LocalPeer) -> Bool {
        switch who {
        case .user(let user): peer.user == user
        case .group(let group): peer.group == group || peer.groups.contains(group)
        case .anybody: true
        }
    }
}
