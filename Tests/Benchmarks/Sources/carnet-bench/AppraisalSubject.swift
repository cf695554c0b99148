import CarnetAppraisal
import CarnetEvidence
import CarnetTesting
import MeasurementLogs
import TPM2

/// A machine's evidence and everything that is needed to appraise it, ready before the clock starts.
struct AppraisalSubject {
    let machine: ForgedMachine
    let evidence: Evidence
    private let key: AttestationKey
    private let challenge: Challenge
    private let appraiser: Appraiser

    init(_ log: EventLogBuilder, isBoundInTPM: Bool) throws {
        machine = try ForgedMachine(booting: log)
        let policy = try Policy(parsing: Array(GoodBoot.policy(for: log).utf8))
        challenge = Challenge(nonce: [UInt8](repeating: 1, count: 32), selection: policy.selection, expiresAt: 0)
        evidence = try machine.evidence(challenge, isBoundInTPM: isBoundInTPM)
        key = try machine.key
        appraiser = Appraiser(policy: policy)
    }

    func authenticate() -> AuthenticatedQuote? {
        guard let quote = try? UnverifiedQuote(evidence),
            case .authentic(let authentic) = quote.authenticate(by: key, answering: challenge, after: nil)
        else { return nil }
        return authentic
    }

    /// From the evidence's structures to the verdict; true when it is affirming.
    func appraise() -> Bool {
        guard let quote = authenticate(), case .verdict(let verdict) = appraiser.appraise(quote, at: 0) else {
            return false
        }
        return verdict.status == .affirming
    }
}
