package import CarnetRecords
import CarnetRelyingParty
package import CarnetRelyingService
package import CarnetService
import CarnetStorage
import CarnetTrustRefresh
import Logging

/// How a broker is run.
package struct BrokerConfiguration: Sendable {
    /// Where its records are, and how they are kept.
    package var records: RecordsSettings
    /// Where to listen.
    package var address: ListenAddress
    /// How bytes travel.
    package var security: TransportSecurity
    /// The authorities of operators' TLS certificates and who has which role, or `nil` where only API tokens count.
    package var clientCertificates: ClientCertificateSettings?
    /// How often the files of the TLS certificate are looked at.
    package var certificateInterval = Duration.seconds(60)
    /// Where `/metrics` is served: an address of its own, or `nil`.
    package var metricsAddress: ListenAddress?
    /// Whether `/metrics` is served beside the other calls.
    package var servesMetrics = false
    /// How machines call the broker: an https URL without a slash at the end, which their proofs name.
    package var url: String
    /// The broker's name in passports' `aud`.
    package var audience: String
    /// Where keys, lists or bundles come from.
    package var trust: Trust
    /// Which verifier appraises evidence at the moment of release; `nil` where none is asked.
    package var backgroundChecks: BackgroundCheckSettings?
    /// How old a status list may be, in seconds: 0 to 86400.
    package var maximumStatusAge: Int64 = 300
    /// How often one machine may ask for something.
    package var machineRate = RateLimit(perMinute: 60, burst: 60)
    /// Limits of every request.
    package var limits = ServiceLimits()
    /// The clock of all rates.
    package var rateClock = RateClock.system

    /// Where trust in passports comes from.
    package typealias Trust = TrustOrigin

    /// A configuration with what has no default.
    package init(
        records: RecordsSettings, address: ListenAddress, security: TransportSecurity, url: String, audience: String,
        trust: Trust
    ) {
        self.records = records
        self.address = address
        self.security = security
        self.url = url
        self.audience = audience
        self.trust = trust
    }
}
