import Fixtures
import Foundation
import Testing

/// A configuration that the repository gives to users, with the files that it names: in a folder of the test, and named there.
enum ConfigurationStage {
    /// Makes the files.
    ///
    /// - Parameter text: The configuration, which names files in `/etc/carnet` and a folder `/var/lib/carnet`.
    /// - Returns: The same with the places of the files that were made; `nil` where there is no openssl.
    static func text(_ text: String, in folder: TemporaryDirectory) throws -> String? {
        guard let openssl = try Witness.find("openssl") else { return nil }
        for name in ["etc/tls", "etc/trust-anchors", "state"] {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/" + name, withIntermediateDirectories: true)
        }
        let certificate = folder.path + "/etc/tls/certificate.pem", key = folder.path + "/etc/tls/private-key.pem"
        let made = try openssl.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
            certificate, "-days", "1", "-subj", "/CN=carnet",
        ])
        try #require(made.status == 0, "\(made.errors)")
        for (name, other) in [
            ("tls/certificate.pem", "tls/tls.crt"), ("tls/certificate.pem", "trust-anchors/maker.pem"),
            ("tls/private-key.pem", "tls/tls.key"),
        ] {
            let path = folder.path + "/etc/" + other
            try FileManager.default.copyItem(atPath: folder.path + "/etc/" + name, toPath: path)
        }
        for path in [key, folder.path + "/etc/tls/tls.key"] { chmod(path, 0o600) }
        return text.replacing("/etc/carnet", with: folder.path + "/etc")
            .replacing("/var/lib/carnet", with: folder.path + "/state")
    }
}
