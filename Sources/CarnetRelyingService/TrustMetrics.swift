package import CarnetService
package import CarnetTrustRefresh
import CarnetRelyingParty

/// How old that is by which a relying service judges passports, as numbers.
package enum TrustMetrics {
    /// The families that ``look(at:now:into:)`` sets.
    package static let families = [
        MetricFamily(
            "carnet_trust_usable", .gauge,
            "1 while passports can be checked; 0 while keys, bundle or status lists are missing or too old."),
        MetricFamily(
            "carnet_trust_age_seconds", .gauge, "Since the verifier's keys were fetched; with a bundle absent."),
        MetricFamily(
            "carnet_status_list_age_seconds", .gauge, "Of the newest status list by which passports are judged."),
    ]

    /// Looks how old it is.
    ///
    /// - Parameter now: Seconds since 1970.
    package static func look(at trust: TrustRefresher, now: Int64, into registry: MetricRegistry) {
        registry.set("carnet_trust_usable", trust.outage == nil ? 1 : 0)
        if let time = trust.fetchedAt { registry.set("carnet_trust_age_seconds", Double(now) - Double(time)) }
        if let time = trust.verifier.statusLists.held.map(\.issuedAt).max() {
            registry.set("carnet_status_list_age_seconds", Double(now) - Double(time))
        }
    }
}
