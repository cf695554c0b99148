import CarnetAppraisal
import CarnetEvidence
import CarnetTesting
import MeasurementLogs
import TPM2

/// A machine's evidence and everything that is needed to appraise it, ready before the clock starts.
struct AppraisalSubject {
    let forge: EvidenceForge
    let evidence: Evidence
    private let key: AttestationKey
    private let challenge: Challenge
    private let appraiser: Appraiser

    init(_ log: EventLogBuilder) throws {
        forge = try EvidenceForge()
        let policy = try Policy(parsing: Array(GoodBoot.policy(for: log).utf8))
        challenge = Challenge(nonce: [UInt8](repeating: 1, count: 32), selection: policy.selection, expiresAt: 0)
        var recipe = EvidenceForge.Recipe()
        recipe.eventLog = log.bytes
        recipe.hasKeyAttestation = false
        var values: [Int: [UInt8]] = [:]
        if let replay = ReplayedEventLog(try EventLog(parsing: log.bytes), bank: .sha256) {
            for pcr in GoodBoot.pcrs { values[pcr] = replay.value(ofPCR: pcr) }
        }
        evidence = try forge.evidence(challenge, pcrs: [.sha256: values], recipe)
        key = try forge.key()
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
        guard let quote = authenticate(), case .verdict(let verdict) = appraiser.appraise(quote) else { return false }
        return verdict.findings.isEmpty
    }
}
