public import CarnetResult

/// What a relying party demands of a passport's revocation.
///
/// A passport that refers to a status list is refused unless a list is at hand that says that it stands: what cannot be checked is not
/// assumed. One that refers to none cannot be withdrawn, and is accepted by default: the issuer signed it so (nobody else can take the
/// reference out), and it lives an hour at most. A relying party that counts on withdrawing says ``checked(maximumStaleness:requiresStatus:)``
/// with `requiresStatus`; one whose lists come seldom says ``whereListed(maximumStaleness:)``.
public enum RevocationExpectation: Sendable, Hashable {
    /// The list that a passport names must be held, stand, and be at most `maximumStaleness` seconds old: 0 to 86,400, more counts as
    /// that. With `requiresStatus`, a passport that names none is refused.
    case checked(maximumStaleness: Int64 = 300, requiresStatus: Bool = false)
    /// What a held list says against a passport counts, also when the list is stale or has expired: age takes no withdrawal back. A passport
    /// whose list is not held, or held but older than `maximumStaleness` seconds or expired, is accepted, and ``RevocationCheck/unknown(_:_:)``
    /// says so. For a machine whose lists come in bundles: a verifier begins new lists every hour, which no earlier bundle holds.
    case whereListed(maximumStaleness: Int64 = 300)
    /// A withdrawn passport is accepted until it expires. Lists are not looked at.
    case notChecked

    /// The oldest list that any relying party may ask for, in seconds.
    static let longestStaleness: Int64 = 86_400
}

/// What is known of a checked passport's revocation.
public enum RevocationCheck: Sendable, Hashable {
    /// A status list said, this many seconds ago, that the passport stands. It can be looked up again at the same place.
    case valid(StatusReference, secondsAgo: Int64)
    /// The passport names no list: its issuer cannot withdraw it.
    case notRevocable
    /// The relying party chose not to look.
    case notChecked
    /// The relying party chose ``RevocationExpectation/whereListed(maximumStaleness:)``, and no list that counts says whether the passport
    /// stands.
    case unknown(StatusReference, Gap)

    /// Why it is not known whether a passport stands.
    public enum Gap: Sendable, Hashable, CustomStringConvertible {
        /// Its list is not at hand.
        case notHeld
        /// Its list said nothing against it this many seconds ago, which is longer than the relying party lets a list count.
        case stale(secondsAgo: Int64)
        /// Its list said nothing against it, and expired this many seconds ago.
        case expired(secondsAgo: Int64)

        /// The reason, for people.
        public var description: String {
            switch self {
            case .notHeld: "its status list is not at hand"
            case .stale(let seconds): "its status list is \(Span.words(seconds)) old"
            case .expired(let seconds): "its status list expired \(Span.words(seconds)) ago"
            }
        }
    }

    /// How many seconds ago a status list that counts said that the passport stands; `nil` when none did.
    public var secondsAgo: Int64? { if case .valid(_, let seconds) = self { seconds } else { nil } }
}
