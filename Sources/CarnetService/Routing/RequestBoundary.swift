import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

/// The outermost layer: every error becomes a problem document, or what the route's protocol has for one; every answer gets its request's identifier and a log line.
///
/// The line holds the route's template, never the path: a session's identifier in it is a secret.
struct RequestBoundary: RouterMiddleware {
    typealias Context = ServiceContext
    let metrics: RequestMetrics?
    let drain: Drain
    let gate: ConnectionGate
    let proxies: TrustedProxies
    let rates: ClientRates
    /// The templates of the routes that are always answered.
    let alwaysServed: Set<String>
    /// How problems are told at paths of other protocols, by template.
    let wordings: [String: Route.Wording]
    /// The same for what is no route, by where the protocols' paths begin.
    let wordingsBelow: [String: Route.Wording]

    func handle(
        _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        metrics?.begin()
        var context = context
        context.logger[metadataKey: "caller_request"] = RequestIdentifier.read(request.headers[.requestID]).map {
            .string($0)
        }
        // A proxy that was to say whose a connection is, and did not, passes on what its clients write: their header says nothing then.
        if let named = gate.client(of: context.channel) {
            context.client = proxies.client(of: named, request.headers)
        } else if !gate.expectsHeader {
            context.client = context.client.map { proxies.client(of: $0, request.headers) }
        }
        var response: Response
        var problem: Problem?
        do {
            try admit(request, context)
            response = try await next(request, context)
        } catch {
            let answer = Self.problem(for: error)
            problem = answer
            response = self.response(to: answer, at: request.uri.path, context)
        }
        response.headers[.requestID] = context.requestID
        response.headers[.contentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        // Whoever holds a connection to a service that stops needs another one.
        if drain.isBegun { response.headers[.connection] = "close" }
        let duration = ContinuousClock.now - start
        metrics?.end(request.method, route: context.endpointPath, response.status, duration)
        log(request, context, response.status, problem, duration)
        return response
    }

    /// Counts a call for its address, and refuses it with its body where there were too many.
    private func admit(_ request: Request, _ context: ServiceContext) throws(Problem) {
        if let path = context.endpointPath, alwaysServed.contains(path) { return }
        do {
            try rates.admit(context.client)
        } catch var problem {
            if request.announcesBody { problem.headers[.connection] = "close" }
            throw problem
        }
    }

    private static func problem(for error: any Error) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let convertible as any ProblemConvertible: convertible.problem
        case let error as HTTPError where error.status == .notFound: .notFound("There is no such path.")
        default: .internal(cause: "\(type(of: error))")
        }
    }

    private func wording(at path: String, _ context: ServiceContext) -> Route.Wording? {
        // What is no route has a template too, once it was answered so.
        if let wording = context.endpointPath.flatMap({ wordings[$0] }) { return wording }
        return wordingsBelow.first { path == $0.key || path.hasPrefix($0.key + "/") }?.value
    }

    private func response(to problem: Problem, at path: String, _ context: ServiceContext) -> Response {
        if let wording = wording(at: path, context) {
            let told = wording(problem)
            return Response(
                status: told.status, headers: told.headers, body: .init(byteBuffer: .init(bytes: told.body)))
        }
        var headers = problem.headers
        headers[.contentType] = "application/problem+json"
        let body = problem.body(requestID: context.requestID)
        return Response(status: problem.status, headers: headers, body: .init(byteBuffer: .init(bytes: body)))
    }

    private func log(
        _ request: Request, _ context: ServiceContext, _ status: HTTPResponse.Status, _ problem: Problem?,
        _ duration: Duration
    ) {
        let path = context.endpointPath ?? "NotFound"
        let isProbe = alwaysServed.contains(path)
        let isFault = status.code >= 500 && problem?.isExpected != true
        let level: Logger.Level = isFault ? .error : isProbe && status.code < 500 ? .debug : .info
        var metadata: Logger.Metadata = [
            "method": .string(String(request.method.rawValue.prefix(16))), "route": .string(path),
            "status": .stringConvertible(status.code),
            "microseconds": .stringConvertible(duration.components.attoseconds / 1_000_000_000_000),
        ]
        if let problem {
            metadata["problem"] = .string(problem.slug)
            if let member = problem.member { metadata["member"] = .string(member) }
            if let cause = problem.cause { metadata["cause"] = .string(cause) }
        }
        context.logger.log(level: level, "request", metadata: metadata)
    }
}

extension HTTPField.Name {
    /// The request's identifier.
    fileprivate static let requestID = Self("X-Request-ID") ?? .date
    /// `nosniff`: a browser must not guess at types.
    fileprivate static let contentTypeOptions = Self("X-Content-Type-Options") ?? .date
}
