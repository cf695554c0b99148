internal import AsyncHTTPClient
public import CarnetRelyingParty
public import CarnetResult
internal import Foundation
internal import NIOConcurrencyHelpers

/// Keeps a ``CarnetRelyingParty/PassportVerifier`` up to date for a service that has network.
///
///     let refresher = TrustRefresher(verifier, from: try .issuer(at: "https://verifier.example"))
///     async let _ = refresher.run()                      // until the task is cancelled
///     let result = try await refresher.verify(passport)  // or refresher.verifier.verify(passport, at: now)
///
/// What was good last stays when an answer is bad or does not come; lists age all the same, and a bundle expires.
public final class TrustRefresher: Sendable {
    /// What happened to a refresh.
    public enum Outcome: Sendable, Hashable {
        case refreshed
        /// The last good keys and lists stay; the reason is for people.
        case kept(reason: String)
        /// Another refresh is running, or none is due.
        case notDue
    }

    struct State: Sendable {
        var schedule: RefreshSchedule
        var verifier: PassportVerifier
        var trust: BundleTrust?
        var keySet: JSONWebKeySet?
        /// What the keys and lists at hand came as.
        var published: Published?
        var keep: (@Sendable (KeptTrust) -> Void)?
        var tell: (@Sendable (Outcome) -> Void)?
        var hasAppliedBundle = false
        var lastOutcome: Outcome?
        var running: Task<Outcome, Never>?
        var waiters = 0
    }

    /// A lock of pthread's: ThreadSanitizer sees it, and not the standard library's.
    let state: NIOLockedValueBox<State>
    let source: TrustSource
    let limits: RefreshLimits
    let now: @Sendable () -> Int64
    let fetch: BoundedFetch

    /// A refresher that has not asked yet.
    ///
    /// - Parameters:
    ///   - verifier: What counts until the first refresh: from a file; what the last run fetched is taken with ``take(_:)-(KeptTrust)``.
    ///   - authorities: Who may vouch for the server's certificate.
    ///   - now: Seconds since 1970; by default the system's clock.
    public init(
        _ verifier: PassportVerifier, from source: TrustSource, limits: RefreshLimits = RefreshLimits(),
        authorities: TrustedAuthorities = .system, now: (@Sendable () -> Int64)? = nil
    ) {
        self.now = now ?? { Int64(Date().timeIntervalSince1970) }
        self.limits = limits.bounded
        var trust: BundleTrust?, first = verifier
        switch source.kind {
        case .bundle(_, let given): trust = given
        case .issuer: first = verifier.usable(until: self.now() + self.limits.maximumKeyAge)
        }
        state = NIOLockedValueBox(State(schedule: RefreshSchedule(limits), verifier: first, trust: trust))
        self.source = source
        fetch = BoundedFetch(
            client: HTTPClient(
                eventLoopGroupProvider: .singleton, configuration: BoundedFetch.configuration(authorities)))
    }

    deinit {
        // A client that nobody shut down would stop the program.
        let client = fetch.client
        Task { try? await client.shutdown() }
    }

    /// The verifier as it is now: a value, replaced as a whole.
    public var verifier: PassportVerifier { state.withLockedValue { $0.verifier } }
    /// What to keep of the last bundle; `nil` for another source.
    public var trust: BundleTrust? { state.withLockedValue { $0.trust } }
    /// How the last refresh ended.
    public var lastOutcome: Outcome? { state.withLockedValue { $0.lastOutcome } }

    /// Closes the connections. Call it when ``run()`` has ended.
    public func close() async { try? await fetch.client.shutdown() }

    /// Refreshes whenever it is due, until the task is cancelled.
    public func run() async {
        while !Task.isCancelled {
            _ = await refreshIfDue()
            let wait = state.withLockedValue { min(max($0.schedule.dueAt - now(), 1), 60) }
            try? await Task.sleep(for: .seconds(wait))
        }
    }

    /// Refreshes if it is due.
    @discardableResult
    public func refreshIfDue() async -> Outcome {
        let now = now()
        let task = state.withLockedValue { state -> Task<Outcome, Never>? in
            guard state.schedule.begin(at: now) else { return nil }
            return start(&state)
        }
        return await task?.value ?? .notDue
    }

    private func start(_ state: inout State) -> Task<Outcome, Never> {
        let task = Task { await self.refresh() }
        state.running = task
        return task
    }

    /// Checks a passport. One that news may help, with a `kid` or a status list that is not at hand, waits for the refresh that is
    /// running, or may cause one, and is checked once more.
    public func verify(_ token: [UInt8]) async throws(Refusal) -> VerifiedResult {
        do throws(Refusal) {
            return try verifier.verify(token, at: now())
        } catch {
            guard await refreshed(for: error.code) else { throw error }
            return try verifier.verify(token, at: now())
        }
    }

    /// Waits for a refresh that may help a passport that was refused so; whether there was one.
    func refreshed(for code: Refusal.Code) async -> Bool {
        guard Self.mayBeHelped(code) else { return false }
        return await refreshOnDemand()
    }

    /// Waits for the refresh that is running, or for one that may begin because something was refused for want of news: one in
    /// ``RefreshLimits/unknownKeyInterval``. Whether there was one.
    public func refreshOnDemand() async -> Bool {
        guard let task = refreshToWaitFor() else { return false }
        _ = await task.value
        state.withLockedValue { $0.waiters -= 1 }
        return true
    }

    private static func mayBeHelped(_ code: Refusal.Code) -> Bool {
        switch code {
        case .unknownKey, .keysStale, .statusUnknown, .statusExpired, .statusStale, .bundleTime: true
        default: false
        }
    }

    /// The refresh that is running, or one that may begin for this; the caller is counted as waiting for it.
    private func refreshToWaitFor() -> Task<Outcome, Never>? {
        let now = now()
        return state.withLockedValue { state in
            guard state.waiters < limits.maximumWaiters else { return nil }
            guard let task = state.running ?? (state.schedule.beginOnDemand(at: now) ? start(&state) : nil) else {
                return nil
            }
            state.waiters += 1
            return task
        }
    }

    /// One refresh, which the schedule has begun.
    private func refresh() async -> Outcome {
        let outcome: Outcome
        do {
            let seconds = try await Deadline.within(limits.deadline) { [self] in
                switch source.kind {
                case .issuer(let keySet, let base, let withStatusLists):
                    try await refreshIssuer(keySet, base, withStatusLists)
                case .bundle(let url, _): try await refreshBundle(url)
                }
            }
            state.withLockedValue { $0.schedule.succeeded(at: now(), keepingFor: seconds) }
            outcome = .refreshed
        } catch {
            outcome = .kept(reason: "\(error)")
            state.withLockedValue { $0.schedule.failed(at: now(), jitter: .random(in: 0...1)) }
        }
        let tell = state.withLockedValue { state in
            state.lastOutcome = outcome
            state.running = nil
            return state.tell
        }
        tell?(outcome)
        return outcome
    }
}
