@testable import CarnetClient
import CarnetAttester
import Fixtures
import Testing

@Suite("The connection to a verifier")
struct ConnectionTests {
    private func refusal(_ url: String, plainHTTP: Bool = false) async -> ServiceConnection.Failure? {
        do throws(ServiceConnection.Failure) {
            let connection = try ServiceConnection(url, allowPlainHTTP: plainHTTP)
            await connection.close()
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "https is accepted, and http to this machine when it was asked for",
        arguments: [
            ("https://verifier.example", false), ("https://verifier.example:8443/carnet/", false),
            ("http://127.0.0.1:8443", true), ("http://127.8.9.1", true), ("http://localhost:1", true),
            ("http://[::1]:8443", true),
        ])
    func accepted(url: String, plainHTTP: Bool) async { #expect(await refusal(url, plainHTTP: plainHTTP)?.code == nil) }

    @Test(
        "Everything else is wrong usage",
        arguments: [
            ("http://127.0.0.1:8443", false), ("http://verifier.example", true), ("http://127.evil.example", true),
            ("http://127.0.0.1@evil.example", true), ("http://127.0.0.1.evil.example", true),
            ("https://user:word@verifier.example", false), ("https://verifier.example/?x=", false),
            ("https://verifier.example/#x", false), ("ftp://verifier.example", true), ("verifier.example", false),
            ("", false), ("https://", false),
        ])
    func refused(url: String, plainHTTP: Bool) async {
        #expect(await refusal(url, plainHTTP: plainHTTP)?.code == .usage)
    }

    @Test("A verifier that is not there is unreachable, and the message names it")
    func unreachable() async throws {
        let connection = try ServiceConnection("http://127.0.0.1:1", allowPlainHTTP: true)
        let failure = await #expect(throws: ServiceConnection.Failure.self) { try await connection.send("GET", "/") }
        await connection.close()
        #expect(failure?.code == .unreachable && failure?.description.contains("http://127.0.0.1:1") == true)
    }

    @Test("A file of authorities that is not there is wrong usage")
    func authorities() {
        #expect(throws: ServiceConnection.Failure.self) {
            try ServiceConnection("https://verifier.example", authorityFile: "/no/such/file.pem")
        }
    }

    @Test("A certificate with another one's key is told apart from files that cannot be read") func identity() throws {
        guard let openssl = try Witness.find("openssl") else { return }
        let folder = try TemporaryDirectory()
        for name in ["alice", "bob"] {
            let made = try openssl.run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                folder.path + "/\(name).key", "-out", folder.path + "/\(name).pem", "-days", "1", "-subj",
                "/CN=\(name)",
            ])
            try #require(made.status == 0, "\(made.errors)")
        }
        for (key, reason) in [("bob.key", "bob.key is not the private key of"), ("none", "both PEM")] {
            let identity = ClientIdentity(
                certificateFile: folder.path + "/alice.pem", privateKeyFile: folder.path + "/" + key)
            let error = #expect(throws: ServiceConnection.Failure.self) {
                try ServiceConnection("https://verifier.example", identity: identity)
            }
            #expect(error?.code == .usage && error?.description.contains(reason) == true, "\(error as Any)")
        }
    }
}
