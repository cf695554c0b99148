package import Cryptography
import Foundation

/// The certificates that end endorsement key chains, read once from a folder.
package enum TrustAnchors {
    /// The longest file that is read, in bytes.
    static let maximumFileByteCount = 1 << 20
    /// The most certificates in all files.
    static let maximumCount = 4096

    /// The certificates of every `.pem`, `.crt`, `.cer` and `.der` file of a folder, in the order of the files' names.
    ///
    /// - Throws: ``VerifierConfigurationError/trustAnchors(_:_:)`` when a file cannot be read, or there is none.
    package static func load(_ folder: String) throws(VerifierConfigurationError) -> [Certificate] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).filter(isCertificate).sorted()
        } catch {
            throw .trustAnchors(folder, "the folder cannot be read")
        }
        var certificates: [Certificate] = []
        for name in names {
            certificates += try read(folder + "/" + name)
            guard certificates.count <= maximumCount else {
                throw .trustAnchors(folder, "more than \(maximumCount) certificates")
            }
        }
        guard !certificates.isEmpty else {
            throw .trustAnchors(folder, "no certificate in it; put some there with `carnet trust import`")
        }
        return certificates
    }

    private static func isCertificate(_ name: String) -> Bool {
        [".pem", ".crt", ".cer", ".der"].contains { name.lowercased().hasSuffix($0) }
    }

    private static func read(_ path: String) throws(VerifierConfigurationError) -> [Certificate] {
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: maximumFileByteCount + 1), data.count <= maximumFileByteCount
        else {
            throw .trustAnchors(
                path, "the file cannot be read, is empty, or has more than \(maximumFileByteCount) bytes")
        }
        let bytes = [UInt8](data)
        do {
            let fromPEM = try Certificate.parsePEM(bytes)
            return fromPEM.isEmpty ? [try Certificate(der: bytes)] : fromPEM
        } catch {
            throw .trustAnchors(path, "it holds something that is no certificate: \(error)")
        }
    }
}
