import Cryptography
import Fixtures
import Foundation

/// A key with certificates over it, made by the `openssl` command in a folder of its own.
struct ClientKey {
    let key: PrivateKey
    private let folder: String
    var keyFile: String { folder + "/key.der" }

    init(_ key: PrivateKey) throws {
        self.key = key
        folder = try TemporaryFolder.make("client")
        try Data(key.pkcs8).write(to: URL(filePath: keyFile))
    }

    /// A self-signed certificate, PEM; each has a serial number of its own.
    func certificateFile(days: Int = 1) throws -> String {
        let path = folder + "/\(UUID().uuidString).pem"
        try Self.openssl(
            "req", "-x509", "-key", keyFile, "-keyform", "DER", "-out", path, "-days", "\(days)", "-subj",
            "/CN=machine")
        return path
    }

    /// The DER of a certificate file.
    static func der(_ path: String) throws -> [UInt8] {
        try Certificate.parsePEM([UInt8](Data(contentsOf: URL(filePath: path))))[0].der
    }

    static func openssl(_ arguments: String...) throws {
        guard try Witness(path: "/usr/bin/openssl").run(arguments).status == 0 else {
            throw CocoaError(.executableLoad)
        }
    }
}
