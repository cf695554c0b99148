public import CarnetClient
internal import CarnetEvidence
public import CarnetResult
internal import Cryptography
internal import TPM2

/// This machine: its TPM, its measurement logs, its state directory, and a verifier.
public struct AttestingMachine: KeptMachine {
    /// The rule of a finding by which a verifier says that no operator has approved the machine.
    private static let pendingRule = "node-not-approved"

    private let tpm: SharedTPM
    private let directory: String
    private let enrolment: Enrolment
    private let client: AttesterClient
    private let logs: LogSources
    private let binding: KeyBinding
    private let audience: String?
    private let listener: @Sendable ([UInt8]) async -> Void

    /// A machine.
    ///
    /// - Parameters:
    ///   - directory: Where the attester's state is (``AttesterState``).
    ///   - enrolment: How it enrols when the verifier does not know it yet.
    ///   - audience: Whom its passports are for, one of the verifier's audiences; `nil` for all of them.
    ///   - listener: Is given every signed result, those too that speak against the machine.
    public init(
        tpm: SharedTPM, stateIn directory: String, enrolment: Enrolment, verifier: ServiceConnection,
        logs: LogSources = .standard, binding: KeyBinding = KeyBinding(), audience: String? = nil,
        listener: @escaping @Sendable (_ token: [UInt8]) async -> Void = { _ in }
    ) {
        self.tpm = tpm
        self.directory = directory
        self.enrolment = enrolment
        client = AttesterClient(verifier)
        self.logs = logs
        self.binding = binding
        self.audience = audience
        self.listener = listener
    }

    public var isEnrolled: Bool { (try? AttesterState(in: directory))?.subject != nil }

    public func enrol() async -> EnrolmentOutcome {
        do {
            let enrolled = try await tpm.hold { device in
                try await enrolment.run(on: device, stateIn: directory, with: client, logs: logs)
            }
            return .enrolled(subject: enrolled.subject, isApproved: enrolled.state == "approved")
        } catch {
            return .failed(reason: "\(error)", retryAfter: (error as? ServiceConnection.Failure)?.retryAfter)
        }
    }

    public func attest() async -> AttestationOutcome {
        do {
            let state = try state()
            let (attested, epoch) = try await tpm.hold { device in
                let collector = EvidenceCollector(device: device, state: state, binding: binding)
                // Before the quote: a machine that is restarted meanwhile is seen to be.
                let epoch = try device.bootEpoch()
                return (try await client.attest(collector, logs: logs, audience: audience), epoch)
            }
            if let token = attested.token { await listener(token) }
            return Self.outcome(attested, MachineMark(epoch: epoch, pcrs: attested.quoted))
        } catch {
            return .failed(reason: "\(error)", retryAfter: (error as? ServiceConnection.Failure)?.retryAfter)
        }
    }

    private static func outcome(_ attested: AttesterClient.Attested, _ mark: MachineMark) -> AttestationOutcome {
        if let token = attested.token, let summary = PassportSummary(token), summary.isAffirming {
            return .passport(token, summary, findings: attested.findings, mark: mark)
        }
        let isPending = attested.token == nil && attested.findings.contains { $0.rule == pendingRule }
        return isPending ? .pending(attested.findings) : .refused(attested.findings, mark: mark)
    }

    public func look(_ mark: MachineMark) async throws -> MachineMark {
        try await tpm.use { try mark.again(on: $0) }
    }

    public func prove(
        _ request: ProvenRequest, showing passport: [UInt8], _ summary: PassportSummary, nonce: String?, time: Int64
    ) async throws -> [UInt8] {
        let state = try state()
        return try await tpm.use { device in
            let key = try device.signingKey(unique: state.signingUnique, state: summary.signingState)
            defer { key.close() }
            return try PossessionProof(
                for: request, showing: passport, key: JSONWebKey(key.publicArea.publicKey()), nonce: nonce,
                issuedAt: time
            ) { try device.sign(digest: $0, with: key) }.token
        }
    }

    private func state() throws -> AttesterState {
        guard let state = try AttesterState(in: directory) else {
            throw AttesterState.Unusable(
                description: "There is no state in \(directory) any more: whoever removed it ended the enrolment.")
        }
        return state
    }
}
