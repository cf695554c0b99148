import CarnetAppraisal
import CarnetEvidence
import MeasurementLogs

/// In which protocol evidence came. It says how a quote that was authenticated is looked at.
package enum EvidenceForm: String, Sendable, Hashable {
    /// Carnet's own: the PCRs that the policy wants, and logs.
    case carnet
    /// The CoCo KBS protocol: all PCRs of one bank, and no log.
    case keyBroker = "kbs"

    /// Appraises a quote that came in this protocol.
    func appraise(
        _ quote: AuthenticatedQuote, by appraiser: Appraiser, at now: Int64, ima checkpoint: IMACheckpoint?
    ) -> AppraisalOutcome {
        switch self {
        case .carnet: appraiser.appraise(quote, at: now, ima: checkpoint)
        case .keyBroker: appraiser.appraise(keyBroker: quote, at: now)
        }
    }
}
