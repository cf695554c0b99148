import HTTPTypes

/// What is counted of every request: the route's template and never its path, known methods, the class of the status.
public struct RequestMetrics: Sendable {
    private let registry: MetricRegistry

    /// Counts into a registry that announced ``families``.
    public init(_ registry: MetricRegistry) {
        self.registry = registry
        for reason in Refusal.allCases { registry.begin("carnet_refusals_total", [("reason", reason.rawValue)]) }
    }

    /// The families. A service has fewer than 128 templates of routes.
    public static var families: [MetricFamily] {
        let pairs = 128 * (methods.count + 1)
        return [
            MetricFamily(
                "carnet_http_requests_total", .counter, labels: ["route", "method", "status"], upTo: pairs * 5,
                "Requests that were answered, by route, method and class of status."),
            MetricFamily(
                "carnet_http_request_duration_seconds", .histogram(MetricFamily.durations),
                labels: ["route", "method"],
                upTo: pairs, "From a request's head to its answer."),
            MetricFamily(
                "carnet_http_requests_in_flight", .gauge, "Requests that are being answered, this one included."),
            MetricFamily(
                "carnet_refusals_total", .counter, labels: ["reason"], upTo: Refusal.allCases.count,
                "Requests and connections that were refused or cut off, by the limit that did it."),
            MetricFamily("carnet_connections", .gauge, "Connections that are open."),
        ]
    }

    /// A limit was met.
    public func refused(_ reason: Refusal) { registry.count("carnet_refusals_total", [("reason", reason.rawValue)]) }

    /// A connection came or went.
    func connections(_ change: Double) { registry.add("carnet_connections", change) }

    /// A request has come.
    func begin() { registry.add("carnet_http_requests_in_flight", 1) }

    /// It was answered.
    ///
    /// - Parameter route: The template of its route; `nil` when there is none.
    func end(_ method: HTTPRequest.Method, route: String?, _ status: HTTPResponse.Status, _ duration: Duration) {
        registry.add("carnet_http_requests_in_flight", -1)
        let name = ("route", route ?? "none")
        let method = ("method", Self.methods.contains(method) ? method.rawValue : "other")
        let status = ("status", "\(min(max(status.code / 100, 1), 5))xx")
        registry.count("carnet_http_requests_total", [name, method, status])
        registry.time("carnet_http_request_duration_seconds", duration, [name, method])
    }

    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
}
