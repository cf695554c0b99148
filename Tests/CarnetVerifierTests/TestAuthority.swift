import Fixtures
import Cryptography
import Foundation

/// A TPM maker's certificate authority, made by the `openssl` command in a folder of its own.
struct TestAuthority {
    /// The folder with the authority's certificate, as `--trust-anchors` takes it.
    let folder: String
    private let work: String

    init() throws {
        work = TemporaryFolder.path("authority")
        folder = work + "/anchors"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            work + "/key.pem",
            "-out", folder + "/root.pem", "-days", "10", "-subj", "/CN=Maker of test TPMs")
    }

    /// The authority's own certificate, DER.
    var root: [UInt8] {
        get throws { try Certificate.parsePEM([UInt8](Data(contentsOf: URL(filePath: folder + "/root.pem"))))[0].der }
    }

    /// An endorsement certificate for a key, DER.
    func certificate(for key: PublicKey, usage: String = "2.23.133.8.1") throws -> [UInt8] {
        let name = work + "/" + UUID().uuidString
        try Data(key.subjectPublicKeyInfo).write(to: URL(filePath: name + ".der"))
        try Self.openssl("pkey", "-pubin", "-inform", "DER", "-in", name + ".der", "-pubout", "-out", name + ".pem")
        let extensions = """
            basicConstraints=critical,CA:FALSE
            keyUsage=critical,keyAgreement
            extendedKeyUsage=\(usage)
            subjectAltName=critical,dirName:tpm
            [tpm]
            1.2.23.133.2.1=id:00001014
            2.2.23.133.2.2=test
            3.2.23.133.2.3=id:20220101
            """
        try Data(extensions.utf8).write(to: URL(filePath: name + ".ext"))
        try Self.openssl(
            "x509", "-new", "-force_pubkey", name + ".pem", "-CA", folder + "/root.pem", "-CAkey", work + "/key.pem",
            "-subj", "/CN=unknown", "-days", "5", "-extfile", name + ".ext", "-outform", "DER", "-out", name + ".crt")
        return [UInt8](try Data(contentsOf: URL(filePath: name + ".crt")))
    }

    private static func openssl(_ arguments: String...) throws {
        let ended = try Witness(path: "/usr/bin/openssl").run(arguments)
        guard ended.status == 0 else { throw CocoaError(.executableLoad) }
    }
}
