import CarnetKubelet
import Cryptography
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// Certificates are made by the `openssl` program: a test authority that signs what a node asks for.
struct NodeAuthority {
    private let openssl: Witness
    let folder: TemporaryDirectory

    init?() throws {
        guard let openssl = try Witness.find("openssl") else { return nil }
        self.openssl = openssl
        folder = try TemporaryDirectory()
        try run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-subj", "/CN=kubernetes", "-days", "30",
        ])
    }

    private func run(_ arguments: [String]) throws {
        let told = try openssl.run(arguments, directory: folder.path)
        guard told.status == 0 else { throw Failed(description: told.errors) }
    }

    struct Failed: Error, CustomStringConvertible { let description: String }

    /// PEM of a certificate for a key.
    func certificate(
        _ key: PrivateKey, subject: [CertificateRequest.NameAttribute], days: Int = 3
    ) throws -> [UInt8] {
        let request = try CertificateRequest(subject: subject, signedBy: key)
        _ = try folder.write(
            Array(PEM.Block(label: "CERTIFICATE REQUEST", content: request.der).text.utf8), "node.csr")
        try run([
            "x509", "-req", "-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
            String(days), "-out", "node.pem",
        ])
        return try folder.read("node.pem")
    }

    static func names(_ node: String = "node-17") -> [CertificateRequest.NameAttribute] {
        [.organization("system:nodes"), .commonName("system:node:" + node)]
    }
}

@Suite("A node's certificate and its key")
struct NodeCredentialTests {
    @Test("What was issued for the key becomes one file, and is read from it again")
    func good() throws {
        guard let authority = try NodeAuthority() else { return }
        let key = try PrivateKey.generate(), now = Int64(Date().timeIntervalSince1970)
        let issued = try authority.certificate(key, subject: NodeAuthority.names())
        let credential = try NodeCredential(certificates: issued, key: key, node: "node-17")
        #expect(credential.node == "node-17" && abs(credential.notBefore - now) < 60)
        #expect(credential.notAfter - credential.notBefore == 3 * 86_400)
        #expect(try NodeCredential(parsing: credential.pem) == credential)
        let path = try authority.folder.write(credential.pem, "pair.pem")
        #expect(NodeCredential(file: path) == credential && NodeCredential(file: path + "x") == nil)
        let chain = try NodeCredential(
            certificates: issued + authority.folder.read("ca.pem"), key: key, node: "node-17")
        #expect(chain.node == "node-17", "the authority's may follow")
    }

    @Test("Another key, another node and rubbish are refused")
    func spoiled() throws {
        guard let authority = try NodeAuthority() else { return }
        let key = try PrivateKey.generate(), issued = try authority.certificate(key, subject: NodeAuthority.names())
        func isRefused(_ certificates: [UInt8], _ key: PrivateKey, _ node: String = "node-17") -> Bool {
            (try? NodeCredential(certificates: certificates, key: key, node: node)) == nil
        }
        #expect(!isRefused(issued, key))
        #expect(isRefused(issued, try .generate()) && isRefused(issued, key, "node-18"))
        #expect(isRefused([], key) && isRefused(Array("x".utf8), key))
        #expect(try isRefused(authority.folder.read("ca.pem") + issued, key), "the node's own comes first")
        for names: [CertificateRequest.NameAttribute] in [
            [.organization("system:nodes"), .commonName("node-17")], [.organization("system:node:node-17")],
            [.commonName("x"), .organization("CN=system:node:node-17")],
        ] {
            #expect(isRefused(try authority.certificate(key, subject: names), key), "\(names)")
        }
        let pem = try NodeCredential(certificates: issued, key: key, node: "node-17").pem
        for count in stride(from: 0, to: pem.count - 2, by: 7) {
            #expect((try? NodeCredential(parsing: Array(pem[..<count]))) == nil)
        }
        #expect((try? NodeCredential(parsing: pem + pem)) == nil && (try? NodeCredential(parsing: issued)) == nil)
    }

    @Test("The next one is due at two thirds of its life, or a little before")
    func due() throws {
        guard let authority = try NodeAuthority() else { return }
        let key = try PrivateKey.generate()
        let credential = try NodeCredential(
            certificates: authority.certificate(key, subject: NodeAuthority.names()), key: key, node: "node-17")
        #expect(credential.renewalDue(jitter: 0) == credential.notBefore + 2 * 86_400)
        #expect(credential.renewalDue(jitter: 0.5) == credential.notBefore + 2 * 86_400 - 6480)
        for jitter in [-1, 2, Double.infinity] {
            let due = credential.renewalDue(jitter: jitter)
            #expect((credential.notBefore + 2 * 86_400 - 12_960...credential.notBefore + 2 * 86_400).contains(due))
        }
    }
}
