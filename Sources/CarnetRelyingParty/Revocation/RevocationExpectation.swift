public import CarnetResult

/// What a relying party demands of a passport's revocation.
///
/// A passport that refers to a status list is refused unless a list is at hand that says that it stands: what cannot be checked is not
/// assumed. One that refers to none cannot be withdrawn, and is accepted by default: the issuer signed it so (nobody else can take the
/// reference out), and it lives an hour at most. A relying party that counts on withdrawing says ``checked(maximumStaleness:requiresStatus:)``
/// with `requiresStatus`.
public enum RevocationExpectation: Sendable, Hashable {
    /// The list that a passport names must be held, stand, and be at most `maximumStaleness` seconds old: 0 to 86,400, more counts as
    /// that. With `requiresStatus`, a passport that names none is refused.
    case checked(maximumStaleness: Int64 = 300, requiresStatus: Bool = false)
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

    /// How many seconds ago a status list said that the passport stands; `nil` when none was asked.
    public var secondsAgo: Int64? { if case .valid(_, let seconds) = self { seconds } else { nil } }
}
