import Fixtures
import NIOHTTP1
import NIOCore
import HTTPTypes
import AsyncHTTPClient
import CarnetService
import Foundation
import Logging
import NIOSSL
import ServiceHarness
import Testing

/// A self-signed certificate for 127.0.0.1, made by the `openssl` command for each test.
@Suite struct TransportTests {
    private let folder = URL(filePath: TemporaryFolder.path("tls"))
    private var certificate: String { folder.appending(path: "cert.pem").path }
    private var key: String { folder.appending(path: "key.pem").path }

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let openssl = try Witness(path: "/usr/bin/openssl").run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
            certificate, "-days", "1", "-subj", "/CN=carnet", "-addext", "subjectAltName=IP:127.0.0.1",
        ])
        try #require(openssl.status == 0)
    }

    @Sendable private func service(
        _ address: String, _ security: TransportSecurity,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> HTTPService {
        try HTTPService(
            [hello(.public)], authenticator: TestAuthenticator(), address: #require(ListenAddress(address)),
            security: security, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            onListening: onListening)
    }

    @Test(
        "Plain HTTP beyond loopback stops the service from starting", arguments: ["0.0.0.0:0", "[::]:0", "10.0.0.1:0"])
    func plainHTTP(_ address: String) throws {
        let listen = try #require(ListenAddress(address))
        #expect(throws: ServiceStartError.plainHTTPBeyondLoopback(listen)) { try service(address, .plainHTTP) }
    }

    /// Lines for the shell, which calls `s_client` with the port as its first argument.
    private func shell(_ script: String, _ port: Int) async throws -> Program.Ending {
        try await Program(path: "/bin/sh").run(["-c", script, "sh", String(port)])
    }

    @Test("TLS is not renegotiated, and connections that are cut off in the middle do nothing and hold nobody up")
    func brokenTLS() async throws {
        let security = TransportSecurity.tls(certificateFile: certificate, privateKeyFile: key)
        let (arrived, arrive) = AsyncStream<Int>.makeStream()
        let count = Route(.post, "/count", access: .public, accepts: ["application/json"], upTo: 100) { request in
            arrive.yield(request.body.count)
            return .noContent
        }
        try await RunningService.with(
            { listening in
                try HTTPService(
                    [hello(.public), count], authenticator: TestAuthenticator(),
                    address: #require(ListenAddress("127.0.0.1:0")), security: security,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, onListening: listening)
            },
            { plain in
                // "R" on a line of its own asks s_client for a renegotiation (openssl-s_client(1), "CONNECTED COMMANDS").
                let renegotiated = try await shell(
                    "(sleep 1; echo R; sleep 2) | openssl s_client -tls1_2 -connect 127.0.0.1:$1 2>&1", plain.port)
                #expect(renegotiated.text.contains("RENEGOTIATING"))
                #expect(!renegotiated.text.contains("read R BLOCK\nHTTP"))
                #expect(renegotiated.text.contains("no renegotiation") || renegotiated.status != 0)
                // A handshake that ends in its first record, and a body of which half arrives before the connection dies without a word.
                try RawConnection(port: plain.port).send("\u{16}\u{3}\u{1}\u{2}\u{1}")
                let head =
                    "POST /count HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\nContent-Length: 50\\r\\n\\r\\n"
                _ = try await shell(
                    """
                    (printf '\(head){\"half\":'; sleep 2) | openssl s_client -quiet -connect 127.0.0.1:$1 2>/dev/null &
                    sleep 1; kill -KILL $!
                    """, plain.port)
                let whole = try await shell(
                    """
                    (printf '\(head)%050d' 0; sleep 1) | openssl s_client -quiet -connect 127.0.0.1:$1 2>/dev/null
                    """, plain.port)
                #expect(whole.text.hasPrefix("HTTP/1.1 204"))
                // The half one, which was sent before, never arrived.
                #expect(await arrived.first { _ in true } == 50)
            })
    }

    @Test("A call over TLS is answered, a call without TLS is not") func tls() async throws {
        let security = TransportSecurity.tls(certificateFile: certificate, privateKeyFile: key)
        try await RunningService.with(
            { try service("127.0.0.1:0", security, onListening: $0) },
            { plain in
                var configuration = TLSConfiguration.makeClientConfiguration()
                configuration.trustRoots = .file(certificate)
                let client = HTTPClient(configuration: .init(tlsConfiguration: configuration))
                let answer = try await client.execute(
                    HTTPClientRequest(url: "https://127.0.0.1:\(plain.port)/hello"), timeout: .seconds(10))
                #expect(answer.status == .ok)
                try await client.shutdown()
                await #expect(throws: (any Error).self) { try await plain.call(.get, "/hello") }
            })
    }

    @Test("A key that others can read, a certificate of another key and missing files stop the service from starting")
    func badFiles() throws {
        #expect(throws: ServiceStartError.self) {
            try service("127.0.0.1:0", .tls(certificateFile: folder.path + "/none", privateKeyFile: key))
        }
        #expect(throws: ServiceStartError.self) {
            try service("127.0.0.1:0", .tls(certificateFile: certificate, privateKeyFile: folder.path + "/none"))
        }
        #expect(throws: ServiceStartError.self) {
            try service("127.0.0.1:0", .tls(certificateFile: key, privateKeyFile: key))
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
        #expect(throws: ServiceStartError.exposed(key, mode: "644")) {
            try service("127.0.0.1:0", .tls(certificateFile: certificate, privateKeyFile: key))
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
        _ = try service("127.0.0.1:0", .tls(certificateFile: certificate, privateKeyFile: key))
    }
}
