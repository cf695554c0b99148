import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Lets a request in, or not: credential first, then the kind of the body, what the path names, the size of the body, then the route's own work.
struct RouteEndpoint: HTTPResponder {
    let entry: RouteTable.Entry
    let authenticator: any Authenticator
    let clients: ClientCertificates?
    let budget: BodyBudget
    let turns: LargeBodyTurns
    let ordinaryBodyByteCount: Int
    let rates: ClientRates
    let metrics: RequestMetrics?

    func respond(to request: Request, context: ServiceContext) async throws -> Response {
        var taken = BodyBudget.Taken()
        var caller = RateKey(context.client)
        var taker = BodyBudget.Taker(client: caller, isKnown: false)
        defer { budget.giveBack(taken, by: taker) }
        let admitted: (principal: Principal?, body: [UInt8], query: QueryParameters)
        do {
            let principal = try await admit(request, context)
            if let principal { try rates.admit(principal, from: context.client) }
            if let principal { caller = RateKey(principal) }
            taker = BodyBudget.Taker(client: caller, isKnown: principal != nil)
            let query = try QueryParameters(parsing: request.uri.query)
            try checkKind(of: request)
            try entry.route.admitsPath(parameters(of: context))
            try entry.route.queue?.requireRoom(for: caller)
            admitted = (principal, try await body(of: request, context, &taken, taker), query)
        } catch var problem as Problem {
            if request.announcesBody { problem.headers[.connection] = "close" }
            throw problem
        }
        var logger = context.logger
        if let principal = admitted.principal { logger[metadataKey: "token"] = .string(principal.id) }
        let complete = ServiceRequest(
            id: context.requestID, method: request.method, headers: request.headers, query: admitted.query,
            body: admitted.body, principal: admitted.principal, peer: await LocalPeer.of(context.channel),
            logger: logger,
            parameters: parameters(of: context))
        let isLarge = complete.body.count > ordinaryBodyByteCount
        let turn = isLarge ? try await turns.turn(complete.body.count) : nil
        defer { turn?.giveBack() }
        let place = try await entry.route.queue?.place(for: caller)
        let response = try await entry.route.handler(complete)
        return Response(
            status: response.status, headers: response.headers,
            body: Self.answer(.init(bytes: response.body), place, context.channel))
    }

    /// The longest answer, in bytes, that keeps no place in the queue while it is written.
    private static let shortAnswerByteCount = 64 * 1024

    /// An answer, which keeps its place in the queue until its client has read it, or it is dropped.
    private static func answer(_ bytes: ByteBuffer, _ place: Lease?, _ channel: any Channel) -> ResponseBody {
        guard let place, bytes.readableBytes > shortAnswerByteCount else {
            place?.giveBack()
            return .init(byteBuffer: bytes)
        }
        return .init(contentLength: bytes.readableBytes) { writer in
            defer { place.giveBack() }
            try await writer.write(bytes)
            // When the channel has the bytes, it says whether it has room for the end: it has when nearly all were read.
            try await channel.eventLoop.submit {}.get()
            try await writer.finish(nil)
        }
    }

    /// A request with an `Authorization` is judged by it alone, also when it is a bad one; the certificate speaks only where there is none.
    private func admit(_ request: Request, _ context: ServiceContext) async throws -> Principal? {
        guard entry.access.needsCredential else { return nil }
        if let clients, !request.headers.contains(.authorization) {
            guard let principal = try await clients.principal(on: context.channel) else {
                throw Problem.unauthenticated
            }
            guard entry.access.admits(principal) else { throw Problem.forbidden(principal.role) }
            return principal
        }
        guard let token = BearerToken.read(from: request.headers),
            let principal = try await authenticator.principal(holding: token)
        else { throw Problem.unauthenticated }
        guard entry.access.admits(principal) else { throw Problem.forbidden(principal.role) }
        return principal
    }

    private func checkKind(of request: Request) throws(Problem) {
        guard !entry.route.accepts.isEmpty else { return }
        let types = request.headers[values: .contentType]
        guard types.count == 1, let type = types.first, entry.route.accepts.contains(MediaTypes.essence(type)),
            request.headers[.contentEncoding] == nil
        else { throw .unsupportedMediaType(entry.route.accepts) }
    }

    private func body(
        of request: Request, _ context: ServiceContext, _ taken: inout BodyBudget.Taken, _ taker: BodyBudget.Taker
    ) async throws -> [UInt8] {
        let limit = entry.route.maximumBodyByteCount
        if let announced = request.headers[.contentLength], Int(announced) ?? .max > limit {
            throw Problem.tooLarge(limit: limit)
        }
        var body: [UInt8] = []
        do {
            try await collect(request, context, &body, &taken, taker, limit)
        } catch let error as any ProblemConvertible & Error {
            throw error.problem
        } catch let problem as Problem {
            throw problem
        } catch {
            // The connection ended, or sent something that is no body: there is nobody to be served.
            throw Problem.malformed("The body ended before its announced length, or could not be read.")
        }
        return body
    }

    private func collect(
        _ request: Request, _ context: ServiceContext, _ body: inout [UInt8], _ taken: inout BodyBudget.Taken,
        _ taker: BodyBudget.Taker, _ limit: Int
    ) async throws {
        var check = entry.route.admitsLargeBody
        for try await part in request.body {
            guard part.readableBytes <= limit - body.count else { throw Problem.tooLarge(limit: limit) }
            if let closer = check, part.readableBytes > ordinaryBodyByteCount - body.count {
                try await closer(parameters(of: context))
                check = nil
            }
            guard budget.take(part.readableBytes, by: taker, &taken) else {
                metrics?.refused(.bodyBudget)
                throw Problem.unavailable("The service is reading as much as it can.", retryAfter: 1)
            }
            body += part.readableBytesView
        }
    }

    /// The parts of the path as they were sent, without undoing percent-encoding: no identifier here needs it.
    private func parameters(of context: ServiceContext) -> [String: String] {
        var parameters: [String: String] = [:]
        for (name, value) in context.parameters { parameters[String(name)] = String(value) }
        return parameters
    }
}

extension Request {
    /// Whether a body follows the head.
    var announcesBody: Bool { headers[.transferEncoding] != nil || (headers[.contentLength] ?? "0") != "0" }
}
