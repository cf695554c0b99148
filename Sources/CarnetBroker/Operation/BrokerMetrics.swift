import CarnetRecords
import CarnetRelyingService
package import CarnetService
import CarnetStorage
package import CarnetTrustRefresh

/// What a broker counts as it happens. No label is anything that a caller sent, or tells of one machine.
package struct BrokerMetrics: Sendable {
    /// Where the numbers are kept.
    package let registry: MetricRegistry
    private static let outcomes = ["granted", "refused", "fresh-evidence", "missing"]

    /// Nothing was counted yet.
    package init() {
        registry = MetricRegistry(Self.families)
        for outcome in Self.outcomes { registry.begin("carnet_releases_total", [("outcome", outcome)]) }
        for code in StorageError.Code.allCases { registry.begin("carnet_database_errors_total", [("code", code.name)]) }
    }

    private static let families: [MetricFamily] =
        RequestMetrics.families + [
            MetricFamily(
                "carnet_releases_total", .counter, labels: ["outcome"], upTo: outcomes.count,
                "What machines asked for: granted, refused, fresh-evidence (wanted first), missing."),
            MetricFamily(
                "carnet_database_errors_total", .counter, labels: ["code"], upTo: StorageError.Code.allCases.count,
                "Transactions that failed, by code."),
        ] + TrustMetrics.families + RecordsGauges.families + CertificateWatch.families + ProcessMetrics.families

    /// A machine asked for something.
    func released(_ outcome: String) { registry.count("carnet_releases_total", [("outcome", outcome)]) }

    /// Looks how old that is by which passports are judged.
    ///
    /// - Parameter now: Seconds since 1970.
    package func look(at trust: TrustRefresher, now: Int64) {
        TrustMetrics.look(at: trust, now: now, into: registry)
    }

    /// A transaction failed.
    func databaseFailed(_ code: StorageError.Code) {
        registry.count("carnet_database_errors_total", [("code", code.name)])
    }
}
