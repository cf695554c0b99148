/// When an attester asks its verifier, and for how long it may show what it got: a value without a clock, a network or a file.
///
/// Time is an argument: milliseconds of a clock that nobody sets (`CLOCK_BOOTTIME`). A passport's lifetime is `exp` − `iat`, measured by that
/// clock from the moment in which the attestation began: the machine's own calendar may be wrong by years. Chance is an argument as well, a
/// number from 0 up to 1.
public struct Renewal: Sendable, Hashable {
    /// Where the attester stands.
    public enum State: Sendable, Hashable {
        /// The verifier does not know the machine yet.
        case unenrolled
        /// The verifier knows it, and no operator has approved it.
        case pendingApproval
        /// There is a passport, and time until the next.
        case fresh
        /// The verifier was asked, and has not answered.
        case renewing
        /// The last attempts, so many of them, got no answer about the machine.
        case failing(count: Int)
        /// The last attempts, so many of them, were refused: the machine is not what the policy allows.
        case refused(count: Int)
    }

    /// What happened.
    public enum Event: Sendable, Hashable {
        /// The verifier enrolled the machine.
        case enrolled(isApproved: Bool)
        /// A passport came.
        case passport(lifetime: Int64)
        /// The machine is known, and not yet approved.
        case pending
        /// The evidence was not good enough: there is a finding, and no passport.
        case refused
        /// Nothing about the machine was learned. The verifier may have said when to come again, in seconds.
        case failed(retryAfter: Int?)
        /// The machine is not as it was when it attested last; whether only the list of measured files grew.
        case changed(isGrowth: Bool)
        /// Somebody wants a new passport now.
        case asked
        /// Time went by.
        case tick
    }

    /// What is to be done next.
    public enum Action: Sendable, Hashable {
        /// Nothing until then, or until something happens.
        case wait(until: Int64)
        /// To enrol.
        case enrol
        /// To attest.
        case attest
    }

    /// The answer to an event.
    public struct Step: Sendable, Hashable {
        /// What is to be done next. A request is asked for once; the next step comes with its answer.
        public let action: Action
        /// Whether the passport that was shown until now is to be shown no more.
        public let withdraws: Bool

        package init(action: Action, withdraws: Bool) {
            self.action = action
            self.withdraws = withdraws
        }
    }

    /// Until when the last passport may be shown; `nil` when there is none.
    public private(set) var validUntil: Int64?
    /// When the next request is due.
    public private(set) var dueAt: Int64

    let pace: RenewalPace
    private var isEnrolled: Bool
    private var isPending = false
    private var isAsking = false
    /// When the last request began.
    private var askedAt: Int64?
    private var failureCount = 0
    private var refusalCount = 0
    private var pendingCount = 0
    /// What changed while a request was out; `true` when it was growth only.
    private var changedMeanwhile: Bool?

    /// An attester that has just started.
    public init(isEnrolled: Bool, pace: RenewalPace = RenewalPace(), at now: Int64, jitter: Double) {
        self.isEnrolled = isEnrolled
        self.pace = pace
        dueAt = now
        dueAt = now + Self.part(jitter, of: pace.startSpread * 1000)
    }

    /// Where it stands.
    public var state: State {
        if isAsking { return .renewing }
        if failureCount > 0 { return .failing(count: failureCount) }
        guard isEnrolled else { return .unenrolled }
        if isPending { return .pendingApproval }
        if refusalCount > 0 { return .refused(count: refusalCount) }
        return validUntil == nil ? .renewing : .fresh
    }

    /// Takes an event, and says what to do next.
    public mutating func step(_ event: Event, at now: Int64, jitter: Double) -> Step {
        let had = validUntil != nil
        take(event, now, jitter)
        if let end = validUntil, end <= now { validUntil = nil }
        return Step(action: action(now), withdraws: had && validUntil == nil)
    }

    private mutating func action(_ now: Int64) -> Action {
        guard !isAsking else { return .wait(until: validUntil ?? now + 60_000) }
        guard now >= dueAt else { return .wait(until: min(dueAt, validUntil ?? dueAt)) }
        isAsking = true
        askedAt = now
        changedMeanwhile = nil
        return isEnrolled ? .attest : .enrol
    }

    private mutating func take(_ event: Event, _ now: Int64, _ jitter: Double) {
        switch event {
        case .tick: break
        case .enrolled(let isApproved):
            answered()
            isEnrolled = true
            isPending = !isApproved
            pendingCount = isApproved ? 0 : 1
            dueAt = isApproved ? now : pendingDue(now, jitter)
        case .passport(let lifetime):
            renewed(lifetime, now, jitter)
        case .pending:
            answered()
            isEnrolled = true
            isPending = true
            validUntil = nil
            pendingCount += 1
            dueAt = pendingDue(now, jitter)
        case .refused:
            answered()
            isPending = false
            validUntil = nil
            refusalCount += 1
            let pause = Self.pause(refusalCount, pace.firstRefusalPause, pace.longestPause)
            dueAt = earliest(now + Self.part(jitter, of: pause))
            if let growth = changedMeanwhile { hurry(growth, now, jitter) }
        case .failed(let retryAfter):
            isAsking = false
            failureCount += 1
            let pause = Self.pause(failureCount, pace.firstPause, pace.longestPause)
            let wish = min(max(Int64(retryAfter ?? 0), 0), pace.longestRetryAfter) * 1000
            dueAt = earliest(now + wish + Self.part(jitter, of: pause))
        case .changed(let isGrowth):
            if isAsking {
                changedMeanwhile = isGrowth && changedMeanwhile ?? true
            } else if isEnrolled, !isPending, failureCount == 0 {
                hurry(isGrowth, now, jitter)
            }
        case .asked:
            if !isAsking { dueAt = min(dueAt, earliest(now)) }
        }
    }

    private mutating func renewed(_ lifetime: Int64, _ now: Int64, _ jitter: Double) {
        // A passport that ends as it begins is none.
        guard lifetime >= 2 else { return take(.failed(retryAfter: nil), now, jitter) }
        let growth = changedMeanwhile, start = askedAt ?? now
        answered()
        isPending = false
        refusalCount = 0
        pendingCount = 0
        let span = min(lifetime, 86_400) * 1000
        validUntil = start + span
        // Between a half and two thirds of its life.
        dueAt = start + span / 2 + Self.part(jitter, of: span / 6)
        // A passport that is short, or came late, does not make a storm.
        dueAt = max(dueAt, start + min(pace.floor * 1000, span / 2))
        if let growth { hurry(growth, now, jitter) }
    }

    /// An answer about the machine came.
    private mutating func answered() {
        isAsking = false
        failureCount = 0
    }

    /// The next request comes sooner: at the floor, with a second or less for what else changes.
    private mutating func hurry(_ isGrowth: Bool, _ now: Int64, _ jitter: Double) {
        let floor = (isGrowth ? pace.growthFloor : pace.floor) * 1000
        dueAt = min(dueAt, max(now + Self.part(jitter, of: 1000), (askedAt ?? now - floor) + floor))
    }

    private func pendingDue(_ now: Int64, _ jitter: Double) -> Int64 {
        let pause = Self.pause(pendingCount, pace.firstPause * 2, pace.longestPendingPause)
        return earliest(now + pause / 2 + Self.part(jitter, of: pause / 2))
    }

    /// Not before the floor.
    private func earliest(_ moment: Int64) -> Int64 {
        askedAt.map { max(moment, $0 + pace.floor * 1000) } ?? moment
    }

    /// `first` seconds, doubled with each further time, in milliseconds.
    private static func pause(_ count: Int, _ first: Int64, _ longest: Int64) -> Int64 {
        min(first << Int64(min(max(count - 1, 0), 20)), longest) * 1000
    }

    private static func part(_ jitter: Double, of span: Int64) -> Int64 {
        guard jitter > 0 else { return 0 }
        return Int64(min(jitter, 1) * Double(span))
    }
}
