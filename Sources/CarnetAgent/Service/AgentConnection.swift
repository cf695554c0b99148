internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// Asks an agent on this machine over its socket.
public struct AgentConnection: Sendable {
    private let socket: String

    /// A connection to the agent with this socket.
    public init(socket: String) { self.socket = socket }

    /// Why an agent was not asked: nobody listens there, or this user may not connect.
    public struct Unreachable: Error, CustomStringConvertible {
        public let description: String
    }

    /// What it answered: the status code, and the body.
    public struct Answer: Sendable {
        public let status: Int
        public let body: [UInt8]
    }

    /// Sends one request.
    ///
    /// - Parameter path: With the leading slash.
    public func send(_ method: String, _ path: String, json body: [UInt8]? = nil) async throws -> Answer {
        guard let url = URL(httpURLWithSocketPath: socket, uri: path) else {
            throw Unreachable(description: "\(socket) is no path of a socket.")
        }
        var request = HTTPClientRequest(url: url.absoluteString)
        request.method = HTTPMethod(rawValue: method)
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(5), read: .seconds(30)))
        // Where nobody listens, that is told at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let answer = try? await Self.answer(to: request, by: client)
        try? await client.shutdown()
        guard let answer else {
            throw Unreachable(
                description:
                    "No agent answers at \(socket): is it running (systemctl status carnet-agent), and may this user connect?"
            )
        }
        return answer
    }

    private static func answer(to request: HTTPClientRequest, by client: HTTPClient) async throws -> Answer {
        let response = try await client.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 20)
        return Answer(status: Int(response.status.code), body: [UInt8](buffer: body))
    }
}
