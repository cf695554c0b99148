import CarnetResult

/// When signing keys take turns. All in seconds.
package struct SigningKeySchedule: Sendable, Hashable {
    /// How long a key signs before the next takes its place. The default, 40 days, is longer than a trust bundle counts (30 days, and 7
    /// of grace): a bundle has the current and the next key, so on schedule it never lacks the one that signs.
    package var period: Int64 = 40 * 86_400
    /// How long a key is published before it may sign: longer than any relying party keeps a key set without asking again.
    package var lead: Int64 = 7200

    /// The schedule for production.
    package init() {}

    /// For how long a relying party may keep the key set (`max-age`).
    package static let keySetMaximumAge: Int64 = 300
    /// The least ``lead``: `max-age`, a minute until a refresher looks at its watch, and ``margin`` for clocks and replicas.
    package static let shortestLead: Int64 = keySetMaximumAge + 60 + margin
    /// What replicas may be late, and their clocks apart.
    package static let margin: Int64 = 240
    /// How long before its first token a status list is served.
    package static let statusListLead: Int64 = 600
    /// How long after its expiry something may still be accepted because clocks differ, doubled.
    package static let leeway: Int64 = 120
    /// The longest that anything lasts which is signed: a status list, whose last tokens are yet to be issued when it is.
    package static let longestValidity: Int64 =
        AttestationResult.maximumLifetime + statusListLead + 3600 + leeway
    /// How long a key stays published after it signed last, until what it signed has expired for everybody.
    package static let hold: Int64 = longestValidity + leeway + margin
    /// How far the times of two looks at the keys may lie apart for the second to act on schedule: a clock that jumped, or that differs
    /// from another replica's, changes nothing until two looks agree.
    package static let agreement: Int64 = 300
}
