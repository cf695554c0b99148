package import CarnetAttester
internal import Cryptography
internal import Foundation
internal import StrictEncoding

/// The last passport that a credential plugin got, in a file that only its owner may read: a client asks at every start.
package struct CredentialCache: Sendable {
    private let path: String
    /// How much life a passport must have left, in seconds, to be given out again.
    package static let shortestLife: Int64 = 60

    /// The cache for one verifier and one audience, in the attester's state directory.
    package init(directory: String, verifier: String, audience: String) {
        let name = HashAlgorithm.sha256.hash(Array(verifier.utf8), [0], Array(audience.utf8))
        path = directory + "/exec-" + Hexadecimal.encode(name.prefix(8)) + ".jwt"
    }

    /// A passport that is good for a while; `nil` when there is none, and when others could read or have written the file.
    package func passport(at now: Int64) -> (token: [UInt8], summary: PassportSummary)? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0,
            status.st_uid == geteuid(), let data = try? handle.read(upToCount: 65_536)
        else { return nil }
        let token = [UInt8](data)
        guard let summary = PassportSummary(token), summary.isAffirming,
            summary.expiresAt > now + Self.shortestLife, summary.issuedAt <= now + Self.shortestLife
        else { return nil }
        return (token, summary)
    }

    /// Keeps a passport. Where that is not possible, the next call gets a new one.
    package func keep(_ token: [UInt8]) { try? PrivateFile.write(token, to: path) }
}
