public import Logging

/// Looks at the files of a certificate now and then, for as long as the service runs.
public struct CertificateWatch: Sendable {
    private let certificate: ServerCertificate
    private let clients: ClientCertificates?
    private let interval: Duration
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let metrics: MetricRegistry?

    /// A watch.
    ///
    /// - Parameter now: The time in seconds since 1970.
    public init(
        _ certificate: ServerCertificate, clients: ClientCertificates? = nil, every interval: Duration,
        now: @escaping @Sendable () -> Int64,
        logger: Logger, metrics: MetricRegistry?
    ) {
        self.certificate = certificate
        self.clients = clients
        self.interval = interval
        self.now = now
        self.logger = logger
        self.metrics = metrics
    }

    /// The families that it counts into.
    public static let families = [
        MetricFamily(
            "carnet_tls_certificate_expiry_timestamp_seconds", .gauge,
            "When the certificate in use expires, in seconds since 1970."),
        MetricFamily(
            "carnet_tls_reload_failed", .gauge,
            "1 while the certificate's files hold what cannot be used, and the last good pair is kept."),
        MetricFamily(
            "carnet_tls_reloads_total", .counter, labels: ["result"], upTo: 2,
            "Looks at the certificate's files that found something new, by what became of it."),
    ]

    /// Until the task is cancelled.
    public func run() async {
        show()
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            if !Task.isCancelled { look() }
        }
    }

    /// Looks now.
    public func look() {
        switch certificate.look(at: now()) {
        case .same: break
        case .renewed(let end):
            metrics?.count("carnet_tls_reloads_total", [("result", "renewed")])
            logger.notice("certificate renewed", metadata: ["expires_at": .stringConvertible(end)])
        case .refused(let reason):
            metrics?.count("carnet_tls_reloads_total", [("result", "refused")])
            logger.error("the last good certificate is kept", metadata: ["reason": .string(reason)])
        }
        switch clients?.look() {
        case .renewed:
            metrics?.count("carnet_tls_reloads_total", [("result", "renewed")])
            logger.notice("authorities of operators' certificates renewed")
        case .refused(let reason):
            metrics?.count("carnet_tls_reloads_total", [("result", "refused")])
            logger.error("the last good authorities are kept", metadata: ["reason": .string(reason)])
        case .same, nil: break
        }
        show()
    }

    private func show() {
        metrics?.set("carnet_tls_certificate_expiry_timestamp_seconds", Double(certificate.expiresAt))
        metrics?.set("carnet_tls_reload_failed", certificate.isRefused ? 1 : 0)
    }
}
