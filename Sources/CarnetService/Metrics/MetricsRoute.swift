import HTTPTypes

/// `/metrics`: the numbers, for Prometheus to fetch.
public enum MetricsRoute {
    /// The route. The answer has no names of machines, no tokens and nothing that a caller sent.
    ///
    /// - Parameter collect: Reads what is not counted as it happens. What it cannot read it leaves as it was.
    public static func route(_ registry: MetricRegistry, collect: @escaping @Sendable () async -> Void) -> Route {
        Route(.get, "/metrics", access: .public) { _ in
            ProcessMetrics.collect(into: registry)
            await collect()
            return ServiceResponse(.ok, PrometheusText.mediaType, PrometheusText.render(registry))
        }.alwaysServed()
    }
}
