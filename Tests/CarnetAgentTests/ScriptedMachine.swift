import CarnetAttester
import CarnetEvidence
import CarnetResult
import CarnetTesting
import StrictEncoding
import Synchronization
import TPM2

/// A machine whose attestations end as a test says, without a TPM.
final class ScriptedMachine: KeptMachine {
    private let state: Mutex<State>

    private struct State {
        var isEnrolled: Bool
        var outcome: AttestationOutcome
        var mark = MachineMark(epoch: BootEpoch(resetCount: 1, restartCount: 0), pcrs: [.sha256: [0: [1], 10: [2]]])
        var attestations = 0
        var proofTimes: [Int64] = []
    }

    init(isEnrolled: Bool = true, _ outcome: AttestationOutcome) {
        state = Mutex(State(isEnrolled: isEnrolled, outcome: outcome))
    }

    var isEnrolled: Bool { state.withLock(\.isEnrolled) }
    var attestationCount: Int { state.withLock(\.attestations) }
    var proofTimes: [Int64] { state.withLock(\.proofTimes) }
    var mark: MachineMark { state.withLock(\.mark) }

    /// How attestations end from now on.
    func say(_ outcome: AttestationOutcome) { state.withLock { $0.outcome = outcome } }
    /// What the machine is from now on.
    func become(_ mark: MachineMark) { state.withLock { $0.mark = mark } }

    func enrol() async -> EnrolmentOutcome {
        state.withLock { $0.isEnrolled = true }
        return .enrolled(subject: "urn:carnet:node:test", isApproved: true)
    }

    func attest() async -> AttestationOutcome {
        state.withLock { state in
            state.attestations += 1
            switch state.outcome {
            case .passport(let token, let summary, let findings, _):
                return .passport(token, summary, findings: findings, mark: state.mark)
            case .refused(let findings, _): return .refused(findings, mark: state.mark)
            case .pending, .failed: return state.outcome
            }
        }
    }

    func look(_ mark: MachineMark) async throws -> MachineMark { self.mark }

    func prove(
        _ request: ProvenRequest, showing passport: [UInt8], _ summary: PassportSummary, nonce: String?, time: Int64
    ) async throws -> [UInt8] {
        state.withLock { $0.proofTimes.append(time) }
        return Array("proof.of.\(request.method)".utf8)
    }

    /// A token that says so much; nobody here checks its signature.
    static func passport(_ tier: String = "affirming", issuedAt: Int64, lifetime: Int64) -> [UInt8] {
        let payload = JSONWriter.object { writer in
            writer.string("ear_status", tier)
            writer.integer("iat", issuedAt)
            writer.integer("exp", issuedAt + lifetime)
        }
        let header = #"{"alg":"ES256","typ":"JWT"}"#
        return Array(
            (Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(payload) + "."
                + Base64URL.encode([UInt8](repeating: 7, count: 64))).utf8)
    }

    /// The outcome with such a token.
    static func outcome(issuedAt: Int64, lifetime: Int64) throws -> AttestationOutcome {
        let token = passport(issuedAt: issuedAt, lifetime: lifetime)
        guard let summary = PassportSummary(token) else { throw CancellationError() }
        return .passport(token, summary, findings: [], mark: nil)
    }

    /// A finding on PCR 4.
    static let finding = Finding(
        .policyViolation, rule: "pcr-digest", bank: "sha256", pcr: 4, "PCR 4 is not what it should be", remedy: "Look.")
}
