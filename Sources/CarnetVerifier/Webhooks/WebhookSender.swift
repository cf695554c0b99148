import CarnetService
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Sends one message over a connection of its own: to an address that was looked at, within a time, without redirects, and whatever the receiver
/// answers beyond its status is thrown away.
struct WebhookSender: Sendable {
    let rules: ReceiverRules
    /// A PEM file of authorities in place of the system's.
    var authorityFile: String?
    /// From the look-up of the name to the end of the answer, in seconds.
    var timeout: Int64 = 15
    /// Which addresses a name has.
    var resolve: @Sendable (_ host: String) async throws -> [IPAddress] = NameResolution.addresses(of:)

    /// The most of an answer's body that is taken, in bytes, before the connection is closed.
    private static let maximumAnswerByteCount = 16 << 10

    /// What came of it.
    enum Outcome: Sendable, Hashable {
        /// The receiver answered.
        case answered(status: Int, retryAfter: Int64?)
        /// It did not; the reason is for people.
        case failed(String)

        /// Whether the message arrived: any 2xx (Standard Webhooks 1.0.0, "Delivery success and failure").
        var isDelivered: Bool {
            if case .answered(let status, _) = self { (200...299).contains(status) } else { false }
        }
    }

    private struct Refused: Error { let reason: String }

    func send(_ body: [UInt8], _ fields: [(String, String)], to text: String) async -> Outcome {
        do {
            return try await within(timeout) { try await attempt(body, fields, to: text) }
        } catch let refused as Refused {
            return .failed(refused.reason)
        } catch let failure as NameResolution.Failure {
            return .failed(failure.description)
        } catch {
            return .failed(reason(error))
        }
    }

    /// What went wrong, for people.
    private func reason(_ error: any Error) -> String {
        if Self.isLate(error) { return "The receiver did not answer within \(timeout) seconds." }
        if Self.isAboutCertificate(error) {
            let place = authorityFile ?? "now the system's authorities"
            return "The receiver's certificate is not by an authority that is trusted here, not for this name, or "
                + "expired. The verifiers' setting webhook-ca-file (\(place)) names a file with the authorities to trust."
        }
        return "The receiver cannot be reached: \(String(String(describing: error).prefix(200)))"
    }

    private static func isAboutCertificate(_ error: any Error) -> Bool {
        if let error = error as? NIOSSLExtraError {
            return [.failedToValidateHostname, .serverHostnameImpossibleToMatch].contains(error)
        }
        return String(describing: error).contains("CERTIFICATE_VERIFY_FAILED")
    }

    /// Whether time ran out: by our own clock, or by the client's, whichever looked first.
    private static func isLate(_ error: any Error) -> Bool {
        if error is CancellationError { return true }
        guard let failure = error as? HTTPClientError else { return false }
        return [.deadlineExceeded, .connectTimeout, .readTimeout, .cancelled].contains(failure)
    }

    private func attempt(_ body: [UInt8], _ fields: [(String, String)], to text: String) async throws -> Outcome {
        let url: WebhookURL
        do throws(WebhookURL.Unusable) { url = try WebhookURL(text, rules) } catch {
            throw Refused(reason: error.reason)
        }
        let address = try await address(of: url)
        // The look-up may have outlived its time.
        try Task.checkCancellation()
        var configuration = HTTPClient.Configuration(
            timeout: .init(connect: .seconds(timeout), read: .seconds(timeout)))
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        // The name is not looked up again: what was checked is what is asked, and the certificate is still the name's.
        configuration.dnsOverride = [url.host: address.description]
        if let authorityFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(authorityFile)
            configuration.tlsConfiguration = tls
        }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<Outcome, any Error>
        do {
            result = .success(try await ask(client, url, body, fields))
        } catch {
            result = .failure(error)
        }
        // A client has to be shut down, also by a task that was cancelled.
        await Task { try? await client.shutdown() }.value
        return try result.get()
    }

    private func ask(
        _ client: HTTPClient, _ url: WebhookURL, _ body: [UInt8], _ fields: [(String, String)]
    ) async throws -> Outcome {
        var request = HTTPClientRequest(url: url.text)
        request.method = .POST
        request.headers = HTTPHeaders(fields + [("Content-Type", "application/json"), ("Connection", "close")])
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await client.execute(request, timeout: .seconds(timeout))
        let status = Int(response.status.code)
        var count = 0
        do {
            for try await part in response.body {
                count += part.readableBytes
                if count > Self.maximumAnswerByteCount { break }
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // The head has come, and says what matters.
        }
        return .answered(status: status, retryAfter: response.headers.first(name: "Retry-After").flatMap(Self.seconds))
    }

    /// The address to ask. Every address of the name has to be one that may be asked: a name that points inside as well is refused whole.
    private func address(of url: WebhookURL) async throws -> IPAddress {
        let addresses = if let address = url.address { [address] } else { try await resolve(url.host) }
        if let refused = addresses.first(where: { !rules.allows($0) }) {
            throw Refused(reason: WebhookURL.refusal(of: refused))
        }
        guard let first = addresses.first else { throw Refused(reason: "\(url.host) has no address.") }
        return first
    }

    /// `Retry-After` in seconds (RFC 9110 §10.2.3); a date is left out.
    private static func seconds(_ value: String) -> Int64? {
        guard value.utf8.count <= 9, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(value)
    }

    /// What `body` returns, unless it takes longer: then its task is cancelled and not waited for, since the system's resolver may take its time.
    private func within(_ seconds: Int64, _ body: @escaping @Sendable () async throws -> Outcome) async throws
        -> Outcome
    {
        let race = Race()
        let work = Task { race.finish(await Result { try await body() }) }
        let alarm = Task {
            try await Task.sleep(for: .seconds(seconds))
            race.finish(.failure(CancellationError()))
        }
        defer {
            work.cancel()
            alarm.cancel()
        }
        return try await withTaskCancellationHandler {
            try await race.value()
        } onCancel: {
            race.finish(.failure(CancellationError()))
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
