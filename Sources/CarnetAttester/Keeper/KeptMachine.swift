public import CarnetEvidence
public import CarnetResult

/// What a ``PassportKeeper`` asks of the machine that it keeps a passport for. ``AttestingMachine`` is the real one.
public protocol KeptMachine: Sendable {
    /// Whether the verifier knows it.
    var isEnrolled: Bool { get async }
    /// Enrols.
    func enrol() async -> EnrolmentOutcome
    /// Attests.
    func attest() async -> AttestationOutcome
    /// Whether the machine is as it was.
    func look(_ mark: MachineMark) async throws -> MachineMark
    /// Signs a proof for a request that shows a passport.
    ///
    /// - Parameter time: By the verifier's clock, in seconds since 1970.
    func prove(
        _ request: ProvenRequest, showing passport: [UInt8], _ summary: PassportSummary, nonce: String?, time: Int64
    ) async throws -> [UInt8]
}

/// What became of an enrolment.
public enum EnrolmentOutcome: Sendable {
    case enrolled(subject: String, isApproved: Bool)
    /// It came to nothing: why, and after how many seconds the verifier wants to be asked again.
    case failed(reason: String, retryAfter: Int?)
}

/// What became of an attestation.
public enum AttestationOutcome: Sendable {
    /// A passport that says that the machine is what the policy allows.
    case passport([UInt8], PassportSummary, findings: [Finding], mark: MachineMark?)
    /// No operator has approved the machine.
    case pending([Finding])
    /// The machine is not what the policy allows, or its evidence proves nothing.
    case refused([Finding], mark: MachineMark?)
    /// Nothing was learned about the machine: why, and after how many seconds the verifier wants to be asked again.
    case failed(reason: String, retryAfter: Int?)
}
