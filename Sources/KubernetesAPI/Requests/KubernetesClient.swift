import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Talks to an API server: every answer bounded, every request with a deadline, nothing sent twice.
package final class KubernetesClient: Sendable {
    private let server: String
    private let credential: ClusterConfiguration.Credential
    private let http: HTTPClient

    /// The longest answer about one object: etcd keeps 1.5 MiB of each, and Go writes some characters as six.
    package static let maximumObjectByteCount = 16 << 20
    /// The longest answer with a part of a list.
    package static let maximumListByteCount = 64 << 20
    /// The longest event of a watch: Go writes some characters as six.
    package static let maximumEventByteCount = 16 << 20
    /// How long a request may take, in seconds.
    package static let timeout: Int64 = 30

    /// A client. Files that the configuration names are read now, but for a token's, which is read again as it changes.
    ///
    /// - Throws: ``ClusterConfiguration/Unusable`` for certificates or keys that cannot be read.
    package init(_ configuration: ClusterConfiguration) throws(ClusterConfiguration.Unusable) {
        server = configuration.server
        credential = configuration.credential
        // A watch is silent for a minute at most: then a bookmark comes. One that is silent for longer is begun anew.
        var http = HTTPClient.Configuration(timeout: .init(connect: .seconds(10), read: .seconds(75)))
        http.redirectConfiguration = .disallow
        http.connectionPool.retryConnectionEstablishment = false
        http.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        http.tlsConfiguration = try configuration.tls()
        self.http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: http)
    }

    deinit {
        // A client that nobody shut down would stop the program.
        let http = http
        Task { try? await http.shutdown() }
    }

    /// Reads one object.
    package func get(
        _ resource: Resource, _ name: String, timeout: Int64 = timeout
    ) async throws(KubernetesError) -> KubernetesObject {
        KubernetesObject(try await send(.GET, resource.path(name), timeout: timeout))
    }

    /// Reads a part of a list.
    ///
    /// - Parameter token: What the part before named for the next one.
    package func list(
        _ resource: Resource, fieldSelector: String? = nil, limit: Int, after token: String? = nil
    ) async throws(KubernetesError) -> ObjectPage {
        var query = [("limit", String(limit))]
        if let token { query.append(("continue", token)) }
        if let fieldSelector { query.append(("fieldSelector", fieldSelector)) }
        let json = try await send(
            .GET, resource.path() + Self.text(of: query), upTo: Self.maximumListByteCount)
        let next = json["metadata"]?["continue"]?.string
        return ObjectPage(
            objects: (json["items"]?.elements ?? []).map { KubernetesObject($0) },
            resourceVersion: json["metadata"]?["resourceVersion"]?.string ?? "",
            next: next.flatMap { $0.isEmpty ? nil : $0 })
    }

    /// Makes an object; the answer is the object as it is kept.
    @discardableResult
    package func create(
        _ resource: Resource, _ object: KubernetesObject, timeout: Int64 = timeout
    ) async throws(KubernetesError) -> KubernetesObject {
        KubernetesObject(try await send(.POST, resource.path(), object.json, timeout: timeout))
    }

    /// Puts an object, or a part of one, in the place of the one that it was read as: one that was changed meanwhile is a conflict.
    @discardableResult
    package func replace(
        _ resource: Resource, _ object: KubernetesObject, subresource: String? = nil, timeout: Int64 = timeout
    ) async throws(KubernetesError) -> KubernetesObject {
        let path = resource.path(object.name, subresource: subresource)
        return KubernetesObject(try await send(.PUT, path, object.json, timeout: timeout))
    }

    /// Changes members of an object (RFC 7386): arrays are replaced as a whole.
    ///
    /// - Parameter resourceVersion: What the change was made for: an object that was changed meanwhile is a conflict.
    @discardableResult
    package func patch(
        _ resource: Resource, _ name: String, subresource: String? = nil, _ change: JSONValue,
        _ form: PatchForm = .merge, expecting resourceVersion: String? = nil, timeout: Int64 = timeout
    ) async throws(KubernetesError) -> KubernetesObject {
        var change = change
        if let resourceVersion {
            var metadata = change["metadata"] ?? [:]
            metadata["resourceVersion"] = .string(resourceVersion)
            change["metadata"] = metadata
        }
        let path = resource.path(name, subresource: subresource)
        return KubernetesObject(
            try await send(.PATCH, path, change, type: form.rawValue, timeout: timeout))
    }

    /// Takes an object away.
    package func delete(_ resource: Resource, _ name: String) async throws(KubernetesError) {
        _ = try await send(.DELETE, resource.path(name))
    }

    /// What the server says of itself and of what there is, as at `/version`.
    package func read(_ path: String) async throws(KubernetesError) -> JSONValue { try await send(.GET, path) }

    /// Closes the connections.
    package func close() async { try? await http.shutdown() }

    private func send(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, type: String = "application/json",
        upTo byteCount: Int = maximumObjectByteCount, timeout: Int64 = timeout
    ) async throws(KubernetesError) -> JSONValue {
        let request = try request(method, path, body, type)
        let answer: (status: Int, retryAfter: String?, body: [UInt8])
        do {
            // The time is for the whole answer, not for its head alone.
            answer = try await Bounded.within(.seconds(timeout)) { [http] in
                let response = try await http.execute(request, timeout: .seconds(timeout))
                let buffer = try await response.body.collect(upTo: byteCount)
                return (
                    Int(response.status.code), response.headers.first(name: "Retry-After"), [UInt8](buffer: buffer)
                )
            }
        } catch {
            throw Self.fault(error, server)
        }
        guard (200..<300).contains(answer.status) else {
            throw KubernetesError(status: answer.status, body: answer.body, retryAfter: answer.retryAfter)
        }
        do throws(JSONValue.Unreadable) { return try JSONValue(parsing: answer.body) } catch {
            throw KubernetesError(.unreadable, status: answer.status, "the API server's answer is no JSON: \(error)")
        }
    }

    private func request(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue?, _ type: String
    ) throws(KubernetesError) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: server + path)
        request.method = method
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "carnet")
        if let token = try token() { request.headers.add(name: "Authorization", value: "Bearer " + token) }
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(bytes: body.bytes))
        }
        return request
    }

    private func token() throws(KubernetesError) -> String? {
        do throws(ClusterConfiguration.Unusable) { return try credential.token() } catch {
            throw KubernetesError(.unauthorized, error.description)
        }
    }

    /// A watch's lines, from where a list ended: each is one event.
    func lines(_ path: String, _ line: (ArraySlice<UInt8>) async throws -> Void) async throws {
        let request = try request(.GET, path, nil, "application/json")
        do {
            let response = try await http.execute(request, timeout: .hours(1))
            let status = Int(response.status.code)
            guard status == 200 else {
                let body = [UInt8](buffer: try await response.body.collect(upTo: 1 << 20))
                throw KubernetesError(
                    status: status, body: body, retryAfter: response.headers.first(name: "Retry-After"))
            }
            var splitter = LineSplitter(maximumByteCount: Self.maximumEventByteCount)
            for try await part in response.body {
                for ready in try splitter.add(part.readableBytesView) { try await line(ready) }
            }
        } catch let error as HTTPClientError where error == .readTimeout {
            // Silence is no fault: the watch is begun anew.
            return
        } catch let error as KubernetesError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Self.fault(error, server)
        }
    }

    static func text(of query: [(String, String)]) -> String {
        "?" + query.map { $0.pathSegment + "=" + $1.pathSegment }.joined(separator: "&")
    }

    private static func fault(_ error: any Error, _ server: String) -> KubernetesError {
        switch error {
        case let error as KubernetesError: error
        case is NIOTooManyBytesError:
            KubernetesError(.unreadable, "the API server's answer is larger than any that is read")
        case is Bounded.TimeIsUp:
            KubernetesError(.unreachable, "the API server at \(server) did not answer in time")
        case let error as HTTPClientError
        where [.deadlineExceeded, .connectTimeout, .readTimeout].contains(error):
            KubernetesError(.unreachable, "the API server at \(server) did not answer in time")
        case let error as IOError:
            KubernetesError(
                .unreachable,
                "the API server at \(server) cannot be reached: \(String(cString: strerror(error.errnoCode)))")
        default:
            KubernetesError(.unreachable, "the API server at \(server) cannot be reached: \(type(of: error))")
        }
    }
}
