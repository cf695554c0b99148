import AsyncHTTPClient
import CarnetService
import Fixtures
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import ServiceHarness
import Testing

/// A certificate that is renewed while the service runs.
@Suite struct CertificateTests {
    private let folder = URL(filePath: TemporaryFolder.path("renewed"))
    private var certificate: String { folder.appending(path: "cert.pem").path }
    private var key: String { folder.appending(path: "key.pem").path }

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try make("first")
        try install("first", "first")
    }

    private func make(_ name: String, days: [String] = ["-days", "2"]) throws {
        let openssl = try Witness(path: "/usr/bin/openssl").run(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                folder.path + "/\(name).key", "-out", folder.path + "/\(name).pem", "-subj", "/CN=\(name)", "-addext",
                "subjectAltName=IP:127.0.0.1",
            ] + days)
        try #require(openssl.status == 0)
    }

    private func install(_ certificateName: String, _ keyName: String) throws {
        for (name, place, mode) in [("\(certificateName).pem", certificate, 0o644), ("\(keyName).key", key, 0o600)] {
            let data = try Data(contentsOf: folder.appending(path: name))
            try data.write(to: URL(filePath: place), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place)
        }
    }

    /// Whether a new connection is shown the certificate of this name, and no other is trusted.
    private func isShown(_ name: String, _ port: Int) async throws -> Bool {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(folder.path + "/\(name).pem")
        let client = HTTPClient(configuration: .init(tlsConfiguration: configuration))
        let answer = try? await client.execute(
            HTTPClientRequest(url: "https://127.0.0.1:\(port)/hello"), timeout: .seconds(10))
        try await client.shutdown()
        return answer?.status == .ok
    }

    private var now: Int64 { Int64(Date.now.timeIntervalSince1970) }

    @Test("New connections get the new certificate, open ones go on, and a bad pair changes nothing but a metric")
    func renewal() async throws {
        try make("second")
        let address = try #require(ListenAddress("127.0.0.1:0"))
        let security = TransportSecurity.tls(certificateFile: certificate, privateKeyFile: key)
        let shown = try #require(try security.certificate(for: address))
        let registry = MetricRegistry(CertificateWatch.families), log = LogLines()
        let watch = CertificateWatch(
            shown, every: .seconds(3600), now: { Int64(Date.now.timeIntervalSince1970) }, logger: log.logger(),
            metrics: registry)
        @Sendable func failed() -> Bool {
            String(decoding: PrometheusText.render(registry), as: UTF8.self).contains("\ncarnet_tls_reload_failed 1\n")
        }
        try await RunningService.with({ listening in
            try HTTPService(
                [hello(.public)], authenticator: TestAuthenticator(), address: address, security: security,
                certificate: shown, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                onListening: listening)
        }) { running in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .file(folder.path + "/first.pem")
            // One connection, which is kept: a new one would not trust the second certificate.
            let old = HTTPClient(configuration: .init(tlsConfiguration: configuration))
            func oldAnswers() async -> Bool {
                let request = HTTPClientRequest(url: "https://127.0.0.1:\(running.port)/hello")
                guard let answer = try? await old.execute(request, timeout: .seconds(10)) else { return false }
                _ = try? await answer.body.collect(upTo: 100)
                return answer.status == .ok
            }
            #expect(await oldAnswers())
            #expect(try await isShown("first", running.port))
            // The certificate came, its key did not yet.
            try install("second", "first")
            watch.look()
            #expect(shown.isRefused && failed())
            #expect(try await isShown("first", running.port))
            watch.look()
            try install("second", "second")
            watch.look()
            #expect(!shown.isRefused && !failed())
            #expect(try await isShown("second", running.port))
            #expect(try await !isShown("first", running.port))
            #expect(await oldAnswers())
            try Data("garbage".utf8).write(to: URL(filePath: certificate))
            watch.look()
            #expect(shown.isRefused && failed())
            #expect(try await isShown("second", running.port))
            try FileManager.default.removeItem(atPath: key)
            watch.look()
            #expect(try await isShown("second", running.port))
            #expect(await oldAnswers())
            try await old.shutdown()
        }
        let errors = log.text.filter { $0.contains("\"error\"") }
        // Once for each kind of bad files, not once for each look.
        #expect(errors.count == 3 && log.text.contains { $0.contains("certificate renewed") })
        #expect(!log.text.joined().contains("PRIVATE KEY"))
    }

    @Test("A pair that is not valid now, or whose key others can read, is no renewal") func unsuitable() throws {
        let security = TransportSecurity.tls(certificateFile: certificate, privateKeyFile: key)
        let address = try #require(ListenAddress("127.0.0.1:0"))
        let shown = try #require(try security.certificate(for: address))
        let end = shown.expiresAt
        #expect(abs(end - now - 2 * 86_400) < 3600)
        #expect(shown.look(at: now) == .same)
        try make("second")
        try install("second", "second")
        guard case .refused = shown.look(at: now + 3 * 86_400) else {
            Issue.record("an expired certificate was taken")
            return
        }
        #expect(shown.isRefused && shown.expiresAt == end)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
        guard case .refused = shown.look(at: now) else {
            Issue.record("a key that everybody can read was taken")
            return
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        guard case .renewed(let later) = shown.look(at: now) else {
            Issue.record("a good pair was refused")
            return
        }
        #expect(later >= end && !shown.isRefused && shown.look(at: now) == .same)
    }

    @Test("A certificate with the private key of another one is told apart from files that cannot be read")
    func mismatch() throws {
        try make("second")
        try install("first", "second")
        let address = try #require(ListenAddress("127.0.0.1:0"))
        let security = TransportSecurity.tls(certificateFile: certificate, privateKeyFile: key)
        let error = #expect(throws: ServiceStartError.self) { try security.certificate(for: address) }
        #expect(
            error?.description.contains("is not the private key of the first certificate in \(certificate)") == true)
        try Data("garbage".utf8).write(to: URL(filePath: key))
        let unread = #expect(throws: ServiceStartError.self) { try security.certificate(for: address) }
        #expect(unread?.description.contains("is not the private key of") == false, "\(unread as Any)")
    }
}
