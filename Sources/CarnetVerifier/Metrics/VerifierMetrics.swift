import CarnetRecords
import CarnetEvidence
package import CarnetService
import CarnetStorage

/// What a verifier counts as it happens. No label is anything that a caller sent, or tells of one machine.
package struct VerifierMetrics: Sendable {
    /// Where the numbers are kept.
    package let registry: MetricRegistry

    /// Nothing was counted yet.
    package init() {
        registry = MetricRegistry(Self.families)
        for call in Self.calls {
            for outcome in Self.outcomes {
                registry.begin("carnet_appraisals_total", [("call", call), ("verdict", outcome)])
            }
        }
        for code in StorageError.Code.allCases {
            registry.begin("carnet_database_errors_total", [("code", code.name)])
        }
        registry.begin("carnet_tokens_issued_total")
        registry.begin("carnet_status_lists_signed_total")
        for outcome in Self.webhookOutcomes {
            registry.begin("carnet_webhook_attempts_total", [("outcome", outcome)])
        }
        for reason in WebhookRetry.Reason.allCases {
            registry.begin("carnet_webhook_messages_lost_total", [("reason", reason.rawValue)])
        }
    }

    /// A step of an appraisal, as its duration is told.
    enum Stage: String, CaseIterable {
        case authenticate, appraise, record, sign
    }

    private static let calls = ["passport", "background-check"]
    private static let outcomes = ["affirming", "warning", "contraindicated", "none", "failed", "unreadable"]

    private static let webhookOutcomes = ["delivered", "refused", "unreachable"]

    private static let families: [MetricFamily] =
        RequestMetrics.families + [
            MetricFamily(
                "carnet_appraisals_total", .counter, labels: ["call", "verdict"], upTo: calls.count * outcomes.count,
                "Appraisals by call and verdict; without a token: failed, unreadable."),
            MetricFamily(
                "carnet_appraisal_first_findings_total", .counter, labels: ["rule"], upTo: FindingRules.known.count + 2,
                "Appraisals by the rule of their first finding, none where there was no finding."),
            MetricFamily(
                "carnet_appraisal_duration_seconds", .histogram(MetricFamily.durations), labels: ["stage"],
                upTo: Stage.allCases.count, "How long each stage of an appraisal took."),
            MetricFamily("carnet_tokens_issued_total", .counter, "Tokens that were signed, whatever their verdict."),
            MetricFamily("carnet_status_lists_signed_total", .counter, "Status lists that were made and signed."),
            MetricFamily(
                "carnet_webhook_attempts_total", .counter, labels: ["outcome"], upTo: webhookOutcomes.count,
                "Messages that were sent to receivers: delivered, refused (another status than 2xx), unreachable."),
            MetricFamily(
                "carnet_webhook_messages_lost_total", .counter, labels: ["reason"],
                upTo: WebhookRetry.Reason.allCases.count,
                "Messages that nobody sends any more: too many attempts, too old, too many waiting."),
            MetricFamily(
                "carnet_database_errors_total", .counter, labels: ["code"], upTo: StorageError.Code.allCases.count,
                "Transactions that failed, by code."),
            MetricFamily("carnet_webhook_messages_waiting", .gauge, "Messages that wait for their receivers."),
            MetricFamily(
                "carnet_webhook_receivers_failing", .gauge,
                "Receivers that did not take the last three messages or more."),
        ] + RecordsGauges.families + CertificateWatch.families + ProcessMetrics.families

    /// An appraisal has ended.
    func appraised(_ call: LedgerEntry.Kind, _ outcome: String, _ findings: [Finding]) {
        let call = call == .backgroundCheck ? "background-check" : "passport"
        registry.count("carnet_appraisals_total", [("call", call), ("verdict", outcome)])
        let rule = findings.first.map { FindingRules.known.contains($0.rule) ? $0.rule : "other" } ?? "none"
        registry.count("carnet_appraisal_first_findings_total", [("rule", rule)])
    }

    /// Runs a stage, and counts how long it took, whatever came of it.
    func timing<Value>(
        _ stage: Stage, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
    ) async rethrows -> Value {
        let start = ContinuousClock.now
        defer {
            registry.time(
                "carnet_appraisal_duration_seconds", ContinuousClock.now - start, [("stage", stage.rawValue)])
        }
        return try await body()
    }

    /// A token was signed.
    func issued() { registry.count("carnet_tokens_issued_total") }
    /// A status list was signed.
    func signedStatusList() { registry.count("carnet_status_lists_signed_total") }
    /// A message was sent to a receiver.
    func sentWebhook(_ outcome: String) { registry.count("carnet_webhook_attempts_total", [("outcome", outcome)]) }
    /// Messages will not be sent any more.
    func lostWebhooks(_ reason: WebhookRetry.Reason, _ count: Int) {
        for _ in 0..<count { registry.count("carnet_webhook_messages_lost_total", [("reason", reason.rawValue)]) }
    }
    /// A transaction failed.
    func databaseFailed(_ code: StorageError.Code) {
        registry.count("carnet_database_errors_total", [("code", code.name)])
    }
}
