public import CarnetEvidence

/// How it stands with a machine's passport.
public struct KeeperStatus: Sendable {
    /// Counts what an observer is told of.
    public internal(set) var revision: UInt64 = 0
    /// Where the renewal stands.
    public var state: Renewal.State
    /// The passport that may be shown now, until when by the keeper's clock.
    public var passport: KeptPassport?
    /// What the verifier said last about the machine.
    public var findings: [Finding] = []
    /// Why the last attempt came to nothing; `nil` after one that did not.
    public var failure: String?
    /// The enrolment's subject, as far as this run learned of it.
    public var subject: String?
    /// When the verifier is asked next, in seconds from now; `nil` while it is being asked.
    public var nextIn: Int64?
    /// How long ago the last answer about the machine came, in seconds.
    public var answeredAgo: Int64?
    /// The verifier's clock less the machine's, in seconds, as the last passport showed it.
    public var clockOffset: Int64?
    /// How many attestations got an answer.
    public var attestationCount = 0
    /// Which PCRs the verifier looks at, as `sha256:0,1,7`.
    public var pcrs: String?

    /// From this difference on, in seconds, the machine's clock is worth a warning.
    public static let clockTolerance: Int64 = 60

    /// What to say of the machine's clock; `nil` when it is right, or nothing is known.
    public var clockWarning: String? {
        guard let offset = clockOffset, offset.magnitude > Self.clockTolerance.magnitude else { return nil }
        return
            "This machine's clock is \(offset.magnitude) seconds \(offset > 0 ? "behind" : "ahead of") the verifier's. Passports are renewed all the same; TLS and other programs may fail. Set the clock."
    }
}

/// A passport, and how long it may be shown.
public struct KeptPassport: Sendable {
    public let token: [UInt8]
    public let summary: PassportSummary
    /// When it came, by the keeper's clock in milliseconds.
    public let receivedAt: Int64
    /// Until when it may be shown, by the keeper's clock in milliseconds.
    public let validUntil: Int64

    /// What time it is for the verifier, in seconds since 1970: the passport's own time, and what went by since it came.
    public func time(at now: Int64) -> Int64 { summary.issuedAt + max(0, now - receivedAt) / 1000 }
}
