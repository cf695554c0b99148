/// One signing key of a verifier, without its private part. Times are seconds since 1970.
package struct SigningKeyRecord: Sendable, Hashable {
    /// What a key is there for. Each only ever moves to one further down.
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// Published, and does not sign yet.
        case next
        /// Signs.
        case current
        /// Signs no more, and is published until what it signed has expired.
        case retiring
        /// Published no more; its private part is erased.
        case retired
        /// Taken out of the set at once, because it may be known to others; its private part is erased.
        case revoked

        /// Whether relying parties see the key.
        package var isPublished: Bool { self == .next || self == .current || self == .retiring }
    }

    /// The thumbprint of the public part (RFC 7638), base64url.
    package let kid: String
    package internal(set) var state: State
    /// Since when relying parties can see it.
    package internal(set) var publishedAt: Int64
    /// When it began to sign; `nil` for one that never did.
    package internal(set) var activatedAt: Int64?
    /// When another took its place; `nil` before.
    package internal(set) var retiringAt: Int64?
    /// When it was taken out of the set; `nil` while it is in it.
    package internal(set) var endedAt: Int64?

    /// A key in the state that its times say.
    package init(
        kid: String, state: State, publishedAt: Int64, activatedAt: Int64? = nil, retiringAt: Int64? = nil,
        endedAt: Int64? = nil
    ) {
        self.kid = kid
        self.state = state
        self.publishedAt = publishedAt
        self.activatedAt = activatedAt
        self.retiringAt = retiringAt
        self.endedAt = endedAt
    }

    /// The times that are reckoned with, from 1970 to the year 36812, so that no sum overflows.
    package static let times: ClosedRange<Int64> = 0...(1 << 40)

    /// From when on it may sign.
    package func mayActivate(_ schedule: SigningKeySchedule) -> Int64 { publishedAt + schedule.lead }

    /// Until when it stays published; `nil` for one that still signs, or is yet to.
    package var publishedUntil: Int64? { state == .retiring ? retiringAt.map { $0 + SigningKeySchedule.hold } : nil }
}
