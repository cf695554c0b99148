internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import StrictEncoding
internal import Synchronization

/// HTTP to a verifier: bounded, with deadlines, and its problem documents made readable.
public final class ServiceConnection: Sendable {
    /// The verifier's base URL, without a slash at the end.
    public let base: String
    private let token: String?
    private let service: String
    private let client: HTTPClient
    private let patience: Patience?
    private let waiting = Mutex(Duration.zero)

    /// How long requests waited for their answers, all together.
    public var waited: Duration { waiting.withLock { $0 } }

    /// Why a verifier could not be asked, or what it refused.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public enum Code: Sendable, Hashable {
            /// The URL may not be used.
            case usage
            /// Nobody answers, or nobody can serve now (a 5xx status, or 429).
            case unreachable
            /// The verifier answered with a problem document or an error status.
            case refused
        }

        public let code: Code
        /// The HTTP status, 0 when there is none.
        public let status: Int
        /// The problem's type without its prefix, like `node-not-approved`.
        public let problem: String?
        public let description: String
        /// After how many seconds to try again, where the verifier said so (`Retry-After`); at most a day.
        public var retryAfter: Int?
    }

    /// A connection that is made at the first request.
    ///
    /// - Parameters:
    ///   - url: `https://…`; `http://` only for a loopback address, and only with `allowPlainHTTP`.
    ///   - authorityFile: A PEM file of the authorities to trust instead of the system's.
    ///   - token: An API token.
    ///   - identity: The certificate that the client shows when it is asked for one.
    ///   - patience: How long to wait for a verifier that asks to come again later; `nil` to tell the caller at once.
    ///   - service: What the service is called in messages, where it is no verifier.
    public init(
        _ url: String, allowPlainHTTP: Bool = false, authorityFile: String? = nil, token: String? = nil,
        identity: ClientIdentity? = nil, patience: Patience? = nil, service: String = "verifier"
    ) throws(Failure) {
        var base = url
        while base.hasSuffix("/") { base.removeLast() }
        guard let parsed = URLComponents(string: base), let scheme = parsed.scheme, let host = parsed.host,
            !host.isEmpty,
            parsed.user == nil, parsed.password == nil, parsed.query == nil, parsed.fragment == nil
        else {
            throw Failure(
                code: .usage, status: 0, problem: nil,
                description: "\(url) is no URL of a service; write https://\(service).example")
        }
        guard token.map(Self.isToken) ?? true else {
            throw Failure(
                code: .usage, status: 0, problem: nil,
                description:
                    "The API token is one line of letters, digits and punctuation; this is not. Name the file that holds it."
            )
        }
        let isLoopback = Self.isLoopback(host)
        guard scheme == "https" || (scheme == "http" && allowPlainHTTP && isLoopback) else {
            throw Failure(
                code: .usage, status: 0, problem: nil,
                description:
                    "\(url) is not https. Plain HTTP is for loopback addresses only, and asked for with --plain-http.")
        }
        self.base = base
        self.token = token
        self.service = service
        self.patience = patience
        var configuration = HTTPClient.Configuration(
            timeout: .init(connect: .seconds(10), read: .seconds(30)))
        configuration.redirectConfiguration = .disallow
        // A refused connection is told at once; whoever calls decides when to try again.
        configuration.connectionPool.retryConnectionEstablishment = false
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authorityFile {
            guard FileManager.default.isReadableFile(atPath: authorityFile) else {
                throw Failure(
                    code: .usage, status: 0, problem: nil,
                    description: "The file of authorities \(authorityFile) cannot be read.")
            }
            tls.trustRoots = .file(authorityFile)
        }
        try identity?.show(in: &tls)
        if authorityFile != nil || identity != nil { configuration.tlsConfiguration = tls }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func isToken(_ text: String) -> Bool {
        (1...512).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// Whether a host is this machine: `localhost`, `::1`, or an address in 127.0.0.0/8. A name that only begins like one is not.
    private static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host.lowercased()) { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }

    /// Closes the connection.
    public func close() async { try? await client.shutdown() }

    /// An answer below 300.
    public struct Answer: Sendable {
        public let body: [UInt8]
        public let location: String?
    }

    /// Sends one request.
    ///
    /// - Parameter path: With the leading slash, query included.
    public func send(
        _ method: String, _ path: String, contentType: String? = nil, body: [UInt8]? = nil,
        maximumByteCount: Int = 4 << 20
    ) async throws(Failure) -> Answer {
        var patience = patience
        while true {
            do throws(Failure) {
                return try await sendOnce(method, path, contentType, body, maximumByteCount)
            } catch {
                guard let seconds = patience?.wait(after: error, of: method) else { throw error }
                patience?.onWait(seconds, error.description)
                // Whoever is told to end does not wait.
                guard (try? await Task.sleep(for: .seconds(seconds))) != nil else { throw error }
            }
        }
    }

    private func sendOnce(
        _ method: String, _ path: String, _ contentType: String?, _ body: [UInt8]?, _ maximumByteCount: Int
    ) async throws(Failure) -> Answer {
        let answer = try await exchange(
            method, path, contentType: contentType, body: body, maximumByteCount: maximumByteCount)
        guard answer.status < 300 else { throw refusal(answer) }
        return Answer(body: answer.body, location: answer.header("Location"))
    }

    /// An answer of any status.
    package struct RawAnswer: Sendable {
        package let status: Int
        package let body: [UInt8]
        fileprivate let headers: HTTPHeaders

        /// The first value of a header field, its name in any case.
        package func header(_ name: String) -> String? { headers.first(name: name) }
    }

    /// Sends one request once, with more header fields, and takes whatever is answered.
    package func exchange(
        _ method: String, _ path: String, headers: [(name: String, value: String)] = [], contentType: String? = nil,
        body: [UInt8]? = nil, maximumByteCount: Int = 4 << 20
    ) async throws(Failure) -> RawAnswer {
        var request = HTTPClientRequest(url: base + path)
        request.method = .init(rawValue: method)
        if let contentType { request.headers.add(name: "Content-Type", value: contentType) }
        if let token { request.headers.add(name: "Authorization", value: "Bearer " + token) }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let start = ContinuousClock.now
        defer { waiting.withLock { $0 += ContinuousClock.now - start } }
        do {
            let response = try await client.execute(request, timeout: .seconds(60))
            let bytes = [UInt8](buffer: try await response.body.collect(upTo: maximumByteCount))
            return RawAnswer(status: Int(response.status.code), body: bytes, headers: response.headers)
        } catch {
            throw Failure(
                code: .unreachable, status: 0, problem: nil,
                description: "The \(service) at \(base) cannot be reached: \(Self.reason(error)).")
        }
    }

    /// What went wrong, and what to do, without the libraries' own words.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError
        where error == .connectTimeout || error == .readTimeout || error == .deadlineExceeded:
            return "it did not answer in time. Is it running, and is nothing in the way"
        case is NIOSSLExtraError, is NIOSSLError, is BoringSSLError:
            return
                "TLS failed. Does it speak https at this port, and is its certificate for this name by an authority that this machine"
                + " trusts? For an authority of your own, give --ca-file"
        case let error as IOError:
            return "\(String(cString: strerror(error.errnoCode))). Is it running, and is the address right"
        default:
            let text = "\(error)"
            let isTLS = text.contains("SSL") || text.contains("handshake")
            return isTLS
                ? "TLS failed. Does it speak https at this port, and is its certificate trusted here (--ca-file)"
                : "no connection came about. Is it running, and is the address right"
        }
    }

    /// What an answer of a status from 300 on says.
    package func refusal(_ answer: RawAnswer) -> Failure {
        let status = answer.status
        let retryAfter = answer.header("Retry-After").flatMap { Int($0) }.map { min(max($0, 0), 86_400) }
        let root = try? JSONDocument(parsing: answer.body, maximumByteCount: 65_536, maximumDepth: 4).root
        let problem = root?["type"]?.string?.split(separator: "/").last.map(String.init)
        let member = root?["member"]?.string.map { " (in \($0))" } ?? ""
        let parts = [root?["title"]?.string, root?["detail"]?.string.map { $0 + member }].compactMap(\.self)
        let sentences = parts.map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
        let text = sentences.isEmpty ? "HTTP status \(status)" : sentences.joined(separator: ". ")
        let isUnavailable = status >= 500 || status == 429
        let pause = retryAfter.map { "in \($0) seconds" } ?? "later"
        return Failure(
            code: isUnavailable ? .unreachable : .refused, status: status, problem: problem,
            description: isUnavailable
                ? "The \(service) cannot serve now: \(text). Try again \(pause)." : "The \(service) refused: \(text).",
            retryAfter: retryAfter)
    }
}
