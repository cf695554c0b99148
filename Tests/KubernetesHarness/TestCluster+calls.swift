import AsyncHTTPClient
import Foundation
package import HTTPTypes
import NIOCore
import NIOHTTP1

/// What an API server answered.
package struct ClusterAnswer: Sendable {
    /// The status code.
    package let status: Int
    /// The body.
    package let body: [UInt8]
    /// The header's fields, their names in lower case.
    package let headers: [String: String]

    /// The body as JSON.
    package var json: HarnessJSON { get throws { try HarnessJSON(parsing: body) } }
    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }
    /// The reason of a refusal, as in `Conflict`; empty where there is none.
    package var reason: String { (try? json["reason"]?.string) ?? "" }
    /// The message of a refusal.
    package var message: String { (try? json["message"]?.string) ?? "" }
}

extension TestCluster {
    /// Sends one request and reads the whole answer.
    ///
    /// - Parameters:
    ///   - path: With its query, as in `/api/v1/nodes?limit=2`.
    ///   - type: The body's media type; a `PATCH` is a merge patch unless another is named.
    package func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: HarnessJSON? = nil, as user: ClusterUser = .admin,
        type: String? = nil
    ) async throws -> ClusterAnswer {
        let request = try await request(
            method, path, body.map(\.bytes), user,
            type ?? (method == .patch ? "application/merge-patch+json" : "application/json"))
        let response = try await client(for: user).execute(request, timeout: .seconds(120))
        let bytes = try await response.body.collect(upTo: 1 << 28)
        return ClusterAnswer(
            status: Int(response.status.code), body: Array(bytes.readableBytesView),
            headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { $0 + ", " + $1 })
    }

    private func request(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]?, _ user: ClusterUser, _ type: String
    ) async throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url + path)
        request.method = HTTPMethod(rawValue: method.rawValue)
        request.headers.add(name: "Accept", value: "application/json")
        switch user.proof {
        case .certificate, .none: break
        default: request.headers.add(name: "Authorization", value: "Bearer " + (try await token(for: user)))
        }
        if let body {
            request.headers.add(name: "Content-Type", value: type)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        return request
    }

    /// Watches while `body` reads the events.
    ///
    /// - Parameter path: With its query, as in `/api/v1/nodes?watch=true&resourceVersion=17&timeoutSeconds=30`.
    package func watch<Value>(
        _ path: String, as user: ClusterUser = .admin, _ body: (inout WatchEvents) async throws -> Value
    ) async throws -> Value {
        let request = try await request(.get, path, nil, user, "")
        let response = try await client(for: user).execute(request, timeout: .seconds(300))
        var events = WatchEvents(
            status: Int(response.status.code), parts: response.body.makeAsyncIterator())
        return try await body(&events)
    }
}

/// The events of a watch, one by one.
package struct WatchEvents {
    /// The status of the answer.
    package let status: Int
    private var parts: HTTPClientResponse.Body.AsyncIterator
    private var rest: [UInt8] = []

    init(status: Int, parts: HTTPClientResponse.Body.AsyncIterator) {
        self.status = status
        self.parts = parts
    }

    /// The next event; `nil` when the watch has ended.
    package mutating func next() async throws -> HarnessJSON? {
        while true {
            if let end = rest.firstIndex(of: 0x0A) {
                let line = Array(rest[..<end])
                rest.removeSubrange(...end)
                return try HarnessJSON(parsing: line)
            }
            guard let part = try await parts.next() else { return nil }
            rest += part.readableBytesView
        }
    }

    /// The next event as its type and its object's name; `nil` when the watch has ended.
    package mutating func nextName() async throws -> String? {
        guard let event = try await next() else { return nil }
        return "\(event["type"]?.string ?? "") \(event["object"]?["metadata"]?["name"]?.string ?? "")"
    }
}
