import CarnetClient
public import CarnetResult
internal import CarnetEvidence

/// Keeps a fresh passport for a machine: enrols, renews before the end, asks again when the machine changes, and shows nothing that was
/// refused or has expired.
///
///     let tpm = SharedTPM(TPMDevice.standardDevice)
///     let verifier = try ServiceConnection("https://verifier.example")
///     let machine = AttestingMachine(
///         tpm: tpm, stateIn: "/var/lib/my-program", enrolment: Enrolment(name: "node-17"), verifier: verifier)
///     let keeper = await PassportKeeper(machine)
///     let running = Task { await keeper.run() }
///     let shown = try await keeper.prove(ProvenRequest(method: "GET", uri: "https://vault.example/disk"))
///
/// What is due when is ``Renewal``'s to say.
public actor PassportKeeper {
    /// Why there is nothing to show.
    public struct NoPassport: Error {
        /// How it stands.
        public let status: KeeperStatus
    }

    /// Called with the status after everything that changes it. Of two that overlap, the one with the higher
    /// ``KeeperStatus/revision`` is the later.
    public typealias Observer = @Sendable (_ status: KeeperStatus) async -> Void

    private let machine: any KeptMachine
    private let clock: KeeperClock
    private let watchInterval: Duration
    private let observer: Observer
    private var renewal: Renewal
    private var status: KeeperStatus
    private var mark: MachineMark?
    private var answeredAt: Int64?
    private let wakeups: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private var request: Task<Void, Never>?
    private var isEnded = false

    /// A keeper that does nothing before ``run()``.
    ///
    /// - Parameters:
    ///   - watchSeconds: How often it looks whether the machine has changed, 1 to 3600.
    ///   - observer: Is told of everything.
    public init(
        _ machine: any KeptMachine, pace: RenewalPace = RenewalPace(), watchSeconds: Int = 5,
        clock: KeeperClock = .system, observer: @escaping Observer = { _ in }
    ) async {
        self.machine = machine
        self.clock = clock
        self.observer = observer
        watchInterval = .seconds(min(max(watchSeconds, 1), 3600))
        renewal = Renewal(
            isEnrolled: await machine.isEnrolled, pace: pace, at: clock.monotonic(), jitter: clock.jitter())
        status = KeeperStatus(state: renewal.state)
        (wakeups, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Keeps the passport until the task is cancelled.
    public func run() async {
        await withTaskCancellationHandler {
            let watching = Task { await watch() }
            var sleeping: Task<Void, Never>?
            wake.yield()
            for await _ in wakeups {
                sleeping?.cancel()
                let milliseconds = await next()
                // In pieces, for a machine that slept meanwhile.
                sleeping = Task { [wake, clock] in
                    guard (try? await clock.sleep(min(milliseconds, 30_000))) != nil else { return }
                    wake.yield()
                }
            }
            // From here on nothing is begun, and nobody is told of anything after the end.
            isEnded = true
            sleeping?.cancel()
            watching.cancel()
            await watching.value
            request?.cancel()
            await request?.value
        } onCancel: {
            wake.finish()
        }
    }

    /// How it stands now.
    public var present: KeeperStatus {
        let now = clock.monotonic()
        var status = status
        status.state = renewal.state
        if let passport = status.passport, passport.validUntil <= now { status.passport = nil }
        status.nextIn = renewal.state == .renewing ? nil : max(0, renewal.dueAt - now) / 1000
        status.answeredAgo = answeredAt.map { max(0, now - $0) / 1000 }
        return status
    }

    /// The passport.
    ///
    /// - Throws: ``NoPassport``.
    public func passport() throws(NoPassport) -> KeptPassport {
        let present = present
        guard let passport = present.passport else { throw NoPassport(status: present) }
        return passport
    }

    /// A proof that the machine holds the passport's key, for one request (DPoP, RFC 9449).
    ///
    /// Its time is the verifier's, as the passport showed it: the machine's calendar may be wrong.
    ///
    /// - Throws: ``NoPassport``, and ``TPMDeviceError``, with its code ``TPMDeviceError/Code/stateChanged`` for a key that is bound to a state
    ///   which is no more.
    public func prove(
        _ request: ProvenRequest, nonce: String? = nil
    ) async throws -> (proof: [UInt8], passport: [UInt8]) {
        let passport = try passport()
        do {
            let proof = try await machine.prove(
                request, showing: passport.token, passport.summary, nonce: nonce,
                time: passport.time(at: clock.monotonic()))
            return (proof, passport.token)
        } catch let error as TPMDeviceError where error.code == .stateChanged {
            await take(.changed(isGrowth: false))
            throw error
        }
    }

    /// Attests as soon as it may: somebody asks for it.
    public func attestNow() async { await take(.asked) }

    /// Takes an event from outside, and lets the loop do what comes of it.
    private func take(_ event: Renewal.Event) async {
        await apply(renewal.step(event, at: clock.monotonic(), jitter: clock.jitter()))
        wake.yield()
    }

    /// What is due now is begun.
    ///
    /// - Returns: For how many milliseconds nothing is due.
    private func next() async -> Int64 {
        let step = renewal.step(.tick, at: clock.monotonic(), jitter: clock.jitter())
        await apply(step)
        guard case .wait(let moment) = step.action else { return 1000 }
        return max(1, moment - clock.monotonic())
    }

    private func apply(_ step: Renewal.Step) async {
        switch step.action {
        case .enrol where !isEnded: request = Task { await self.enrol() }
        case .attest where !isEnded: request = Task { await self.attest() }
        case .wait, .enrol, .attest: break
        }
        if step.withdraws {
            status.passport = nil
            await tell()
        }
    }

    private func enrol() async {
        switch await machine.enrol() {
        case .enrolled(let subject, let isApproved):
            status.subject = subject
            status.failure = nil
            await settle(.enrolled(isApproved: isApproved))
        case .failed(let reason, let retryAfter):
            status.failure = reason
            await settle(.failed(retryAfter: retryAfter))
        }
    }

    private func attest() async {
        let outcome = await machine.attest()
        let now = clock.monotonic()
        if case .failed(let reason, let retryAfter) = outcome {
            status.failure = reason
            return await settle(.failed(retryAfter: retryAfter))
        }
        status.failure = nil
        status.attestationCount += 1
        answeredAt = now
        switch outcome {
        case .passport(let token, let summary, let findings, let mark):
            (status.findings, self.mark) = (findings, mark)
            status.pcrs = mark?.selection?.text
            status.clockOffset = summary.issuedAt - clock.calendar()
            await settle(.passport(lifetime: summary.lifetime)) { end in
                KeptPassport(token: token, summary: summary, receivedAt: now, validUntil: end)
            }
        case .pending(let findings):
            status.findings = findings
            await settle(.pending)
        case .refused(let findings, let mark):
            (status.findings, self.mark) = (findings, mark)
            status.pcrs = mark?.selection?.text
            await settle(.refused)
        case .failed: break
        }
    }

    /// The answer to a request, and with it the passport that it brought.
    private func settle(_ event: Renewal.Event, _ passport: (Int64) -> KeptPassport? = { _ in nil }) async {
        let step = renewal.step(event, at: clock.monotonic(), jitter: clock.jitter())
        if case .failed = event {
            if step.withdraws { status.passport = nil }
        } else {
            status.passport = renewal.validUntil.flatMap(passport)
        }
        await tell()
        await apply(Renewal.Step(action: step.action, withdraws: false))
        wake.yield()
    }

    private func tell() async {
        status.revision += 1
        await observer(present)
    }

    /// Looks at the machine now and then. A TPM that cannot be read now is looked at again later.
    private func watch() async {
        while (try? await Task.sleep(for: watchInterval)) != nil {
            guard let before = mark, let now = try? await machine.look(before), mark == before else { continue }
            let difference = before.difference(to: now)
            guard difference != .none else { continue }
            mark = now
            await take(.changed(isGrowth: difference == .growth))
        }
    }
}
