import AsyncHTTPClient
package import HTTPTypes
import NIOCore
import NIOHTTP1
package import StrictEncoding

/// Calls a service on loopback.
package struct ServiceClient: Sendable {
    /// `http` or `https`.
    package let scheme: String
    /// Where the service listens.
    package let port: Int

    /// A client for a service on 127.0.0.1.
    package init(scheme: String = "http", port: Int) {
        self.scheme = scheme
        self.port = port
    }

    /// What the service answered.
    package struct Answer: Sendable {
        /// The status code.
        package let status: Int
        /// The body.
        package let body: [UInt8]
        private let headers: [(name: String, value: String)]

        init(status: Int, body: [UInt8], headers: [(name: String, value: String)]) {
            self.status = status
            self.body = body
            self.headers = headers
        }

        /// The value of a header field, its name in any case.
        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        /// The body as text.
        package var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as JSON.
        package var json: JSONNode {
            get throws { try JSONDocument(parsing: body, maximumByteCount: 1 << 22).root }
        }

        /// The last part of a problem's `type`; `nil` when the answer is no problem document.
        package var problem: String? {
            guard header("content-type") == "application/problem+json", let type = try? json["type"]?.string else {
                return nil
            }
            return type.split(separator: "/").last.map(String.init)
        }

        /// A problem's `member`.
        package var member: String? { try? json["member"]?.string }
    }

    /// Sends one request and reads the whole answer.
    package func call(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, type: String? = nil,
        headers: [(String, String)] = [], body: [UInt8]? = nil, chunked: Bool = false
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "\(scheme)://127.0.0.1:\(port)\(path)")
        request.method = HTTPMethod(rawValue: method.rawValue)
        if let token { request.headers.add(name: "Authorization", value: "Bearer " + token) }
        if let type { request.headers.add(name: "Content-Type", value: type) }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.body = chunked ? .bytes(body, length: .unknown) : .bytes(ByteBuffer(bytes: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        let buffer = try await response.body.collect(upTo: 1 << 22)
        return Answer(
            status: Int(response.status.code), body: Array(buffer.readableBytesView),
            headers: response.headers.map { ($0.name, $0.value) })
    }

    /// Sends a JSON body.
    package func send(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, type: String = "application/json",
        _ body: String
    ) async throws -> Answer {
        try await call(method, path, token: token, type: type, body: Array(body.utf8))
    }
}
