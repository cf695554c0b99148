import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

extension ClusterDouble {
    /// What is answered, before HTTP.
    enum Reply {
        /// An object, a list or a status.
        case object(code: Int, ByteBuffer, warnings: [String] = [])
        /// Plain text.
        case text(String)
        /// The lines of a watch.
        case watch(ResourceKind, ClusterStore.Watch)
    }

    /// Answers a request.
    func respond(_ request: Request, _ context: ClusterContext) async -> Response {
        do {
            let caller = try await authenticate(request, context)
            let path = RequestPath(request.uri.path, Self.query(request))
            let verb = path.verb(request.method.rawValue)
            let fault = note(request, path, verb, caller)
            switch fault {
            case .delay(let duration): try await Task.sleep(for: duration)
            case .close:
                context.channel.close(promise: nil)
                return Response(status: .internalServerError)
            case .status(let code, let seconds): throw Self.refusal(code, seconds)
            case .loseAnswer, nil: break
            }
            let reply = try await reply(request, path, verb, caller)
            if fault == .loseAnswer {
                context.channel.close(promise: nil)
                return Response(status: .internalServerError)
            }
            return response(reply, request, path)
        } catch let failure as StatusFailure {
            return Self.response(failure)
        } catch {
            return Self.response(.internalError("\(error)"))
        }
    }

    private static func query(_ request: Request) -> [String: String] {
        Dictionary(
            request.uri.queryParameters.map {
                (String($0.key), String($0.value))
            }
        ) { _, last in last }
    }

    private static func refusal(_ code: Int, _ seconds: Int?) -> StatusFailure {
        switch code {
        case 429:
            StatusFailure(
                code: code, reason: "TooManyRequests",
                message: "Too many requests, please try again later.", retryAfter: seconds)
        case 503:
            StatusFailure(
                code: code, reason: "ServiceUnavailable",
                message: "the server is currently unable to handle the request", retryAfter: seconds)
        default:
            StatusFailure(
                code: code, reason: "InternalError", message: "Internal error occurred: asked for by the test",
                retryAfter: seconds)
        }
    }

    private func response(_ reply: Reply, _ request: Request, _ path: RequestPath) -> Response {
        switch reply {
        case .object(let code, let body, let warnings):
            var response = Self.json(code, body)
            for text in warnings {
                let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                response.headers.append(HTTPField(name: Self.warning, value: "299 - \"\(quoted)\""))
            }
            return response
        case .text(let text):
            return Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        case .watch(let kind, let watch):
            // The connection ends with the watch: nobody should take it for one that can be used again.
            return Response(
                status: .ok, headers: [.contentType: "application/json", .connection: "close"],
                body: watchBody(kind, watch, request, path))
        }
    }

    private static var warning: HTTPField.Name { HTTPField.Name("Warning") ?? .contentType }

    private static func json(_ code: Int, _ body: ByteBuffer) -> Response {
        Response(
            status: HTTPResponse.Status(code: code), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: body))
    }

    private static func response(_ failure: StatusFailure) -> Response {
        var response = json(failure.code, ByteBuffer(bytes: failure.object.bytes))
        if let seconds = failure.retryAfter { response.headers[.retryAfter] = String(seconds) }
        return response
    }

    private func reply(
        _ request: Request, _ path: RequestPath, _ verb: String, _ caller: Caller
    ) async throws -> Reply {
        let action = path.action(verb)
        guard authorization.allows(caller, action) else { throw action.refusal(of: caller) }
        guard let kind = path.kind else { return try discovery(path, verb) }
        let isStored = kind != .accessReviews
        switch verb {
        case "get" where path.subresource == nil || path.subresource == "status" || path.subresource == "approval":
            guard isStored, let object = store.object(kind, path.key) else {
                throw StatusFailure.notFound(kind, path.name)
            }
            return .object(code: 200, object.text)
        case "list" where isStored: return try list(kind, path)
        case "watch" where isStored: return .watch(kind, try watch(kind, path))
        case "create": return try await create(kind, path, try await body(request), caller)
        case "update" where isStored && path.subresource != "token":
            let body = try await body(request)
            if store.object(kind, path.key) == nil { return try await createByUpdate(kind, path, body, caller) }
            return try await update(kind, path, caller) { _ in body }
        case "patch" where isStored && path.subresource != "token":
            let type = request.headers[.contentType]?.split(separator: ";").first, patch = try await body(request)
            switch type {
            case "application/merge-patch+json":
                return try await update(kind, path, caller) { $0.merged(with: patch) }
            case "application/strategic-merge-patch+json" where kind == .nodes && path.subresource == "status":
                return try await update(kind, path, caller) { $0.mergingConditions(of: patch) }
            default: throw StatusFailure.unsupportedPatch
            }
        case "delete" where isStored && path.subresource == nil:
            return try await delete(kind, path, try await optionalBody(request), caller)
        default: throw StatusFailure.methodNotAllowed()
        }
    }

    private func body(_ request: Request) async throws -> HarnessJSON {
        let type = request.headers[.contentType]?.split(separator: ";").first ?? "application/json"
        guard type.hasSuffix("json") else {
            throw StatusFailure(
                code: 415, reason: "UnsupportedMediaType",
                message:
                    "the body of the request was in an unknown format - accepted media types include: application/json",
                details: [:])
        }
        guard let object = try await optionalBody(request) else {
            throw StatusFailure.badRequest("EOF")
        }
        return object
    }

    private func optionalBody(_ request: Request) async throws -> HarnessJSON? {
        let bytes: ByteBuffer
        do {
            bytes = try await request.body.collect(upTo: 3 * 1024 * 1024)
        } catch {
            throw StatusFailure(
                code: 413, reason: "RequestEntityTooLarge",
                message: "Request entity too large: limit is 3145728")
        }
        guard bytes.readableBytes > 0 else { return nil }
        do {
            let object = try HarnessJSON(parsing: Array(bytes.readableBytesView))
            guard case .object(_) = object else { throw StatusFailure.badRequest("an object is expected") }
            return object
        } catch let failure as StatusFailure {
            throw failure
        } catch {
            throw StatusFailure.badRequest("the object provided is unrecognized: \(error)")
        }
    }

    /// Paths that are no resource.
    private func discovery(_ path: RequestPath, _ verb: String) throws -> Reply {
        guard verb == "get" else { throw StatusFailure.methodNotAllowed() }
        switch path.path {
        case "/healthz", "/livez", "/readyz": return .text("ok")
        case "/version":
            let parts = options.version.text.dropFirst().split(separator: ".")
            return .object(
                code: 200,
                ByteBuffer(
                    bytes: HarnessJSON.object([
                        "major": .string(String(parts[0])), "minor": .string(String(parts[1])),
                        "gitVersion": .string(options.version.text), "platform": "linux/amd64",
                    ]).bytes))
        default: break
        }
        let kinds = ResourceKind.all.filter {
            path.path == ($0.group.isEmpty ? "/api/" : "/apis/") + $0.apiVersion
        }
        guard let first = kinds.first else { throw StatusFailure.noSuchPath }
        let verbs: HarnessJSON = ["create", "delete", "get", "list", "patch", "update", "watch"]
        let list: HarnessJSON = [
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(first.apiVersion),
            "resources": .array(
                kinds.flatMap { kind in
                    [(kind.plural, verbs)].map { $0 }
                        + kind.subresources.sorted().map { (kind.plural + "/" + $0, ["get", "patch", "update"]) }
                }.map { name, verbs in
                    let kind = kinds.first { name.split(separator: "/").first.map(String.init) == $0.plural }
                    return [
                        "name": .string(name), "singularName": "", "kind": .string(kind?.kind ?? ""),
                        "namespaced": .boolean(kind?.isNamespaced ?? false), "verbs": verbs,
                    ]
                }),
        ]
        return .object(code: 200, ByteBuffer(bytes: list.bytes))
    }
}
