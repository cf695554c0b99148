import Cryptography
import Fixtures
import Foundation
import Testing

/// The cast: a root, an intermediate below it, and endorsement certificates below that, made by the `openssl` command at test time.
struct Authority {
    let directory: TemporaryDirectory
    private let openssl: Witness

    /// `nil` when the command is absent and not required.
    init?() throws {
        guard let openssl = try Witness.find("openssl") else { return nil }
        self.openssl = openssl
        directory = try TemporaryDirectory()
        try issue("root", extensions: "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign", days: 3650)
        try issue(
            "intermediate", by: "root", extensions: "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign",
            days: 3650)
    }

    func run(_ arguments: [String]) throws {
        let testimony = try openssl.run(arguments, directory: directory.path)
        guard testimony.status == 0 else { throw Failed(description: testimony.errors) }
    }

    struct Failed: Error, CustomStringConvertible { let description: String }

    /// Makes `<name>.der` for a fresh key `<name>.key`.
    @discardableResult
    func issue(
        _ name: String, by issuer: String? = nil, extensions: String, days: Int = 30,
        key: [String] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    ) throws -> Certificate {
        _ = try directory.write(Array((extensions + "\n").utf8), name + ".ext")
        try run(["genpkey"] + key + ["-out", name + ".key"])
        try run(["req", "-new", "-key", name + ".key", "-subj", "/CN=" + name, "-out", name + ".csr"])
        let signer =
            issuer.map { ["-CA", $0 + ".pem", "-CAkey", $0 + ".key", "-CAcreateserial"] } ?? [
                "-signkey", name + ".key",
            ]
        try run(
            [
                "x509", "-req", "-in", name + ".csr", "-days", String(days), "-extfile", name + ".ext", "-out",
                name + ".pem",
            ] + signer)
        try run(["x509", "-in", name + ".pem", "-outform", "der", "-out", name + ".der"])
        return try certificate(name)
    }

    func certificate(_ name: String) throws -> Certificate { try Certificate(der: directory.read(name + ".der")) }
}

@Suite("Certificates")
struct CertificateTests {
    static let endorsement = """
        basicConstraints=CA:FALSE
        keyUsage=critical,keyAgreement
        extendedKeyUsage=2.23.133.8.1
        subjectAltName=critical,dirName:tpm
        [tpm]
        1.2.23.133.2.1=id:00001014
        1.2.23.133.2.2=model
        1.2.23.133.2.3=id:20191023
        """
    static let now = Int64(Date().timeIntervalSince1970) + 60
    static let day: Int64 = 86_400

    private func failure(
        _ leaf: Certificate, _ intermediates: [Certificate], _ anchors: [Certificate], at time: Int64 = now
    ) -> String? {
        do {
            try CertificateChain.verify(leaf, intermediates: intermediates, anchors: anchors, at: time)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("A chain leads to its anchor in its time, and to no other")
    func chain() throws {
        guard let authority = try Authority(), let stranger = try Authority() else { return }
        let leaf = try authority.issue("leaf", by: "intermediate", extensions: Self.endorsement)
        let root = try authority.certificate("root"), middle = try authority.certificate("intermediate")
        #expect(failure(leaf, [middle], [root]) == nil)
        #expect(failure(leaf, [], [middle]) == nil, "an anchor need not be self-signed")
        #expect(failure(leaf, [], [root])?.contains("issuer") == true)
        #expect(failure(leaf, [middle], []) != nil)
        #expect(try failure(leaf, [middle], [stranger.certificate("root")]) != nil)
        #expect(failure(leaf, [middle], [root], at: Self.now + 40 * Self.day)?.contains("expired") == true)
        #expect(failure(leaf, [middle], [root], at: Self.now - Self.day)?.contains("not yet valid") == true)
        #expect(failure(leaf, [Certificate](repeating: middle, count: 17), [root])?.contains("17") == true)
        let pretender = try authority.issue("pretender", by: "leaf", extensions: Self.endorsement)
        #expect(failure(pretender, [leaf, middle], [root]) != nil, "a leaf certifies nobody")
    }

    @Test("An endorsement certificate's fields are read")
    func fields() throws {
        guard let authority = try Authority() else { return }
        let leaf = try authority.issue("leaf", by: "intermediate", extensions: Self.endorsement)
        #expect(leaf.subject == "CN=leaf" && leaf.issuer == "CN=intermediate" && !leaf.isAuthority)
        #expect(leaf.extendedKeyUsages == ["2.23.133.8.1"] && leaf.keyUsage == .keyAgreement)
        #expect(leaf.tpmAttributes["2.23.133.2.1"] == "id:00001014" && leaf.tpmAttributes.count == 3)
        #expect(try authority.certificate("root").isAuthority)
        #expect(try leaf.publicKey().kind == .ellipticCurve(.p256))
        let plain = try authority.issue("plain", by: "intermediate", extensions: "basicConstraints=CA:FALSE")
        #expect(plain.extendedKeyUsages.isEmpty && plain.keyUsage == nil && plain.tpmAttributes.isEmpty)
    }

    @Test("A critical subjectDirectoryAttributes is accepted, any other unprocessed critical extension is not")
    func criticalExtensions() throws {
        guard let authority = try Authority() else { return }
        let root = try authority.certificate("root"), middle = try authority.certificate("intermediate")
        func result(_ name: String, _ extra: String) throws -> String? {
            let lines = Self.endorsement.replacing("[tpm]", with: extra + "\n[tpm]")
            return failure(try authority.issue(name, by: "intermediate", extensions: lines), [middle], [root])
        }
        #expect(try result("directory", "2.5.29.9=critical,DER:3000") == nil)
        #expect(try result("unknown", "1.2.3.4=critical,DER:0500")?.contains("1.2.3.4") == true)
        #expect(try result("both", "2.5.29.9=critical,DER:3000\n1.2.3.4=critical,DER:0500") != nil)
        #expect(try result("harmless", "1.2.3.4=DER:0500") == nil)
    }

    @Test("NV padding may follow a certificate where it is allowed, and nothing else ever")
    func padding() throws {
        guard let authority = try Authority() else { return }
        let der = try authority.directory.read("root.der")
        for filler: UInt8 in [0, 0xFF] {
            let padded = der + [UInt8](repeating: filler, count: 50)
            #expect(try Certificate(der: padded, padded: true).der == der)
            #expect(throws: CryptographyError.self) { try Certificate(der: padded) }
        }
        #expect(throws: CryptographyError.self) { try Certificate(der: der + [0, 1], padded: true) }
        #expect(throws: CryptographyError.self) { try Certificate(der: Array(der.dropLast())) }
        #expect(throws: CryptographyError.self) { try Certificate(der: []) }
        #expect(throws: CryptographyError.self) { try Certificate(der: [UInt8](repeating: 0x30, count: 20_000)) }
    }

    @Test("PEM holds any number of certificates, and a broken block is an error")
    func pem() throws {
        guard let authority = try Authority() else { return }
        let one = try authority.directory.read("root.pem"), two = try authority.directory.read("intermediate.pem")
        #expect(
            try Certificate.parsePEM(one + Array("\nnotes\n".utf8) + two).map(\.subject) == [
                "CN=root", "CN=intermediate",
            ])
        #expect(try Certificate.parsePEM(Array("nothing".utf8)).isEmpty)
        let broken = String(decoding: one, as: UTF8.self).replacing("MII", with: "MIX", maxReplacements: 1)
        #expect(throws: CryptographyError.self) { try Certificate.parsePEM(Array(broken.utf8)) }
    }

    @Test(
        "TPM makers' certificates are read, their keys too",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
    func makers() throws {
        let folder = SharedFixtures.path("fixtures/ek-certs/keylime/tpm_cert_store")
        var count = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            for certificate in try Certificate.parsePEM(
                SharedFixtures.bytes("fixtures/ek-certs/keylime/tpm_cert_store/" + name))
            {
                #expect(!certificate.subject.isEmpty && certificate.isAuthority, "\(name)")
                #expect(throws: Never.self, "\(name)") { try certificate.publicKey() }
                count += 1
            }
        }
        #expect(count >= 40)
    }
}
