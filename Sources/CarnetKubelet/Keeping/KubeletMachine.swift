package import CarnetAttester
package import CarnetClient
internal import CarnetEvidence
package import CarnetResult

/// The machine whose node this is: what attests, one at a time.
package struct KubeletMachine: KeptMachine {
    private let machine: AttestingMachine
    private let tpm: SharedTPM
    private let directory: String
    private let client: AttesterClient
    private let logs: LogSources
    private let audience: String
    private let listener: @Sendable ([UInt8]) async -> Void
    private let turn = Turn()
    package let clock: KeeperClock

    /// A machine that is enrolled.
    ///
    /// - Parameters:
    ///   - directory: Where the attester's state is (``AttesterState``).
    ///   - audience: The cluster's own name among the verifier's audiences.
    ///   - listener: Is given every signed result, those too that speak against the machine.
    package init(
        tpm: SharedTPM, stateIn directory: String, verifier: ServiceConnection, logs: LogSources, audience: String,
        clock: KeeperClock = .system, listener: @escaping @Sendable (_ token: [UInt8]) async -> Void
    ) {
        machine = AttestingMachine(
            tpm: tpm, stateIn: directory, enrolment: Enrolment(name: ""), verifier: verifier, logs: logs,
            audience: audience, listener: listener)
        self.tpm = tpm
        self.directory = directory
        client = AttesterClient(verifier)
        self.logs = logs
        self.audience = audience
        self.listener = listener
        self.clock = clock
    }

    package var isEnrolled: Bool { machine.isEnrolled }
    package func enrol() async -> EnrolmentOutcome {
        .failed(reason: "The machine is not enrolled any more: run `carnet-agent enrol`.", retryAfter: 60)
    }
    package func attest() async -> AttestationOutcome { await turn.take { await machine.attest() } }
    package func look(_ mark: MachineMark) async throws -> MachineMark {
        try await turn.take { try await machine.look(mark) }
    }
    package func prove(
        _ request: ProvenRequest, showing passport: [UInt8], _ summary: PassportSummary, nonce: String?, time: Int64
    ) async throws -> [UInt8] {
        try await turn.take {
            try await machine.prove(request, showing: passport, summary, nonce: nonce, time: time)
        }
    }

    /// Attests once. The passport goes to the listener.
    ///
    /// - Throws: ``KubeletError`` when there is none that says that the machine is what the policy allows.
    func requirePassport() async throws(KubeletError) {
        switch await attest() {
        case .passport: return
        case .pending(let findings), .refused(let findings, _): throw Self.refusal(findings)
        case .failed(let reason, _): throw KubeletError(.unreachable, reason)
        }
    }

    private static func refusal(_ findings: [Finding]) -> KubeletError {
        KubeletError(
            .refused,
            (["The machine is not what the policy allows:"] + findings.map(\.text)).joined(separator: "\n"))
    }

    /// A passport that is bound to a key outside of the TPM.
    ///
    /// - Returns: The token, and how long it lives, in seconds.
    /// - Throws: ``KubeletError`` when the verifier gives none that says that the machine is what the policy allows.
    func passport(boundTo key: JSONWebKey) async throws -> (token: [UInt8], lifetime: Int64) {
        let attested = try await turn.take {
            guard let state = try AttesterState(in: directory) else {
                throw KubeletError(.refused, "There is no state in \(directory): run `carnet-agent enrol` first.")
            }
            return try await tpm.hold { device in
                let collector = EvidenceCollector(
                    device: device, state: state, binding: KeyBinding(foreignKey: key))
                return try await client.attest(collector, logs: logs, audience: audience)
            }
        }
        guard let token = attested.token, let summary = PassportSummary(token), summary.isAffirming else {
            if let token = attested.token { await listener(token) }
            throw Self.refusal(attested.findings)
        }
        return (token, summary.lifetime)
    }
}

/// Lets one in at a time, in the order in which they came.
actor Turn {
    private var last: Task<Void, Never>?

    func take<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async rethrows -> Value {
        let before = last
        let (ended, end) = AsyncStream<Void>.makeStream()
        last = Task {
            await before?.value
            for await _ in ended {}
        }
        await before?.value
        defer { end.finish() }
        return try await body()
    }
}
