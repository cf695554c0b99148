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
import Synchronization
import Testing

/// Operators with certificates of their TLS clients.
///
/// The authority `office` issues alice (admin by her mailbox), bob (viewer by his whole subject), carol (whose names have no role), dave (for
/// servers only), erin (who has no extended key usage) and frank (one day). The authority `other` issues mallory, with alice's mailbox.
@Suite struct ClientCertificateTests {
    private let folder = URL(filePath: TemporaryFolder.path("clients"))

    private static let rules = [
        "admin=email:alice@example.org", "viewer=subject:CN=bob,O=Example", "viewer=uri:spiffe://example.org/frank",
    ]
    private static let clientUse = "extendedKeyUsage=clientAuth"

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["server", "office", "other"] {
            try openssl(
                ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
                    + ["-keyout", path("\(name).key"), "-out", path("\(name).pem"), "-subj", "/CN=\(name)"]
                    + (name == "server" ? ["-addext", "subjectAltName=IP:127.0.0.1"] : []))
        }
        try issue("alice", by: "office", ["subjectAltName=email:alice@example.org", Self.clientUse])
        try issue("bob", by: "office", subject: "/O=Example/CN=bob", [Self.clientUse])
        try issue("carol", by: "office", ["subjectAltName=email:carol@example.org", Self.clientUse])
        try issue("dave", by: "office", ["subjectAltName=email:alice@example.org", "extendedKeyUsage=serverAuth"])
        try issue("erin", by: "office", ["subjectAltName=email:alice@example.org"])
        try issue("frank", by: "office", ["subjectAltName=URI:spiffe://example.org/frank", Self.clientUse], days: 1)
        try issue("mallory", by: "other", ["subjectAltName=email:alice@example.org", Self.clientUse])
        try FileManager.default.copyItem(atPath: path("office.pem"), toPath: path("authorities.pem"))
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func openssl(_ arguments: [String]) throws {
        let ended = try Witness(path: "/usr/bin/openssl").run(arguments)
        try #require(ended.status == 0, "\(ended.errors)")
    }

    private func issue(
        _ name: String, by authority: String, subject: String? = nil, _ extensions: [String], days: Int = 30
    ) throws {
        try openssl([
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            path("\(name).key"), "-out", path("\(name).csr"), "-subj", subject ?? "/CN=\(name)",
        ])
        let text = extensions.joined(separator: "\n") + "\n"
        try text.write(toFile: path("\(name).ext"), atomically: true, encoding: .utf8)
        try openssl([
            "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(authority).pem"), "-CAkey",
            path("\(authority).key"), "-days", "\(days)", "-extfile", path("\(name).ext"), "-out", path("\(name).pem"),
        ])
    }

    /// A client that shows a certificate, or none.
    private func client(_ name: String?) throws -> HTTPClient {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(path("server.pem"))
        if let name {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(path("\(name).pem")).map {
                .certificate($0)
            }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: path("\(name).key"), format: .pem))
        }
        return HTTPClient(configuration: .init(tlsConfiguration: configuration))
    }

    private func ask(
        _ client: HTTPClient, _ port: Int, _ path: String, token: String? = nil
    ) async throws -> (status: Int, text: String) {
        var request = HTTPClientRequest(url: "https://127.0.0.1:\(port)\(path)")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let answer = try await client.execute(request, timeout: .seconds(10))
        let body = try await answer.body.collect(upTo: 10_000)
        return (Int(answer.status.code), String(buffer: body))
    }

    /// Asks once, over a connection of its own.
    private func ask(
        as name: String?, _ port: Int, _ path: String, token: String? = nil
    ) async throws -> (status: Int, text: String) {
        let client = try client(name)
        do {
            let answer = try await ask(client, port, path, token: token)
            try await client.shutdown()
            return answer
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    private func withService(
        _ time: @escaping @Sendable () -> Int64 = { Int64(Date.now.timeIntervalSince1970) },
        _ body: @Sendable (Int, ClientCertificates) async throws -> Void
    ) async throws {
        let clients = try ClientCertificates(
            authorityFile: path("authorities.pem"), roles: Self.rules.compactMap(CertificateRole.init), now: time)
        let address = try #require(ListenAddress("127.0.0.1:0"))
        let security = TransportSecurity.tls(
            certificateFile: path("server.pem"), privateKeyFile: path("server.key"))
        let routes = [
            hello(.public, "/public"), hello(.operator(atLeast: .viewer), "/viewer"),
            hello(.operator(atLeast: .admin), "/admin"), hello(.relyingParty, "/relying-party"),
        ]
        try await RunningService.with({ listening in
            try HTTPService(
                routes, authenticator: TestAuthenticator(), address: address, security: security, clients: clients,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, onListening: listening)
        }) { try await body($0.port, clients) }
    }

    @Test("A certificate gives the role of its name; nobody needs one for what is public") func roles() async throws {
        try await withService { port, _ in
            for name in [nil, "alice", "dave", "mallory"] {
                #expect(try await ask(as: name, port, "/public").status == 200, "\(name ?? "nobody")")
            }
            let expected: [(name: String?, viewer: Int, admin: Int, problem: String)] = [
                (nil, 401, 401, "unauthenticated"), ("alice", 200, 200, ""), ("bob", 200, 403, "forbidden"),
                ("carol", 403, 403, "forbidden"), ("dave", 401, 401, "clientAuth"), ("erin", 401, 401, "clientAuth"),
                ("frank", 200, 403, "forbidden"), ("mallory", 401, 401, "certificate-refused"),
                ("office", 401, 401, "authority"),
            ]
            for (name, viewer, admin, problem) in expected {
                let first = try await ask(as: name, port, "/viewer"), second = try await ask(as: name, port, "/admin")
                #expect(first.status == viewer && second.status == admin, "\(name ?? "nobody")")
                if admin != 200 { #expect(second.text.contains(problem), "\(name ?? "nobody") \(second.text)") }
                // A relying party's results are meant for its name: a certificate has none.
                #expect(try await ask(as: name, port, "/relying-party").status == (viewer == 401 ? 401 : 403))
            }
            #expect(try await ask(as: "alice", port, "/viewer").text == "email:alice@example.org")
        }
    }

    @Test("A token that is sent decides alone, for better and for worse") func both() async throws {
        try await withService { port, _ in
            let cases: [(name: String?, path: String, token: String, status: Int)] = [
                ("alice", "/admin", "viewer", 403), ("alice", "/admin", "unknown", 401),
                ("bob", "/admin", "admin", 200),
                ("mallory", "/admin", "admin", 200),
                (nil, "/relying-party", "relying-party", 200),
            ]
            for (name, path, token, status) in cases {
                let answer = try await ask(as: name, port, path, token: token)
                #expect(answer.status == status, "\(name ?? "nobody") with \(token)")
                if status == 200 { #expect(answer.text == token) }
            }
        }
    }

    @Test("A certificate that expires, or whose authority is taken away, ends an open connection's rights too")
    func ends() async throws {
        let offset = Mutex<Int64>(0)
        try await withService({ Int64(Date.now.timeIntervalSince1970) + offset.withLock(\.self) }) { port, clients in
            let frank = try client("frank"), alice = try client("alice")
            #expect(try await ask(frank, port, "/viewer").status == 200)
            #expect(try await ask(alice, port, "/admin").status == 200)
            offset.withLock { $0 = 2 * 86_400 }
            let late = try await ask(frank, port, "/viewer")
            #expect(late.status == 401 && late.text.contains("expired"), "\(late)")
            #expect(try await ask(alice, port, "/admin").status == 200)
            #expect(clients.look() == .same)
            // A certificate that is nobody's authority, and a file without any, change nothing, and are told of once.
            try replace(with: "alice.pem")
            let refused = clients.look(), again = clients.look()
            #expect(refused != .same && again == .same)
            #expect(try await ask(alice, port, "/admin").status == 200)
            try replace(with: "alice.key")
            _ = clients.look()
            #expect(try await ask(alice, port, "/admin").status == 200)
            try replace(with: "other.pem")
            let renewed = clients.look()
            #expect(renewed != .same)
            #expect(try await ask(alice, port, "/admin").status == 401)
            #expect(try await ask(as: "mallory", port, "/admin").status == 200)
            try await frank.shutdown()
            try await alice.shutdown()
        }
    }

    private func replace(with name: String) throws {
        let data = try Data(contentsOf: URL(filePath: path(name)))
        try data.write(to: URL(filePath: path("authorities.pem")), options: .atomic)
    }

    @Test(
        "A rule names an operator's role and one whole name",
        arguments: [
            "", "admin", "admin=", "admin=email:", "root=email:a@b", "relying-party=email:a@b", "admin=a@b",
            "=email:a@b", "admin=email:ä@b", "admin=ip:127.0.0.1", "admin=dns:" + String(repeating: "a", count: 512),
        ])
    func rules(_ text: String) { #expect(CertificateRole(text) == nil) }

    @Test("Who is called an author is a policy-author") func author() {
        let rule = CertificateRole("author=email:alice@example.org")
        #expect(rule != nil && rule == CertificateRole("policy-author=email:alice@example.org"))
        #expect(
            Role(named: "author") == .policyAuthor && Role(named: "authors") == nil && Role(rawValue: "author") == nil)
        for role in Role.allCases { #expect(Role(named: role.rawValue) == role) }
    }
}
