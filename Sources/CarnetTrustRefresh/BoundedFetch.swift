internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// GET, bounded in size and time, without redirects.
struct BoundedFetch: Sendable {
    let client: HTTPClient

    struct Answer: Sendable {
        let body: [UInt8]
        let maximumAge: Int64?
    }

    /// Why there is no answer to use.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter authorities: Whose certificates a server may show instead of the system's.
    static func configuration(_ authorities: TrustedAuthorities) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(10), read: .seconds(30)))
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        if case .file(let path) = authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(path)
            configuration.tlsConfiguration = tls
        }
        return configuration
    }

    func get(_ url: String, upTo maximumByteCount: Int) async throws(Failure) -> Answer {
        do {
            let response = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(60))
            guard response.status == .ok else {
                throw Failure(description: "\(url) answered with the status \(response.status.code)")
            }
            let body = [UInt8](buffer: try await response.body.collect(upTo: maximumByteCount))
            return Answer(body: body, maximumAge: CacheControl.maximumAge(response.headers["Cache-Control"]))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "\(url) cannot be read: \(error)")
        }
    }
}
