import CarnetService
import CarnetTrustRefresh
import Cryptography

/// Where a broker keeps the last keys and lists that it fetched, so that it goes on when it starts while the verifier is away.
///
/// The file begins with 32 bytes: HMAC-SHA-256 over the rest, under a key that is in the database and wrapped there. Whoever can write
/// the file alone makes the broker believe nobody: without the mark it is not read.
struct KeptTrustFile: Sendable {
    let path: String
    let key: [UInt8]

    private static let label = Array("carnet/kept-trust/v1\u{0}".utf8)

    /// What was kept; `nil` when nothing was.
    ///
    /// - Throws: ``CarnetService/ServiceStartError`` for a file that cannot be read, is open to others, or was not marked by this broker, and
    ///   ``CarnetTrustRefresh/KeptTrust/Unusable`` for what no broker writes.
    func read() throws -> KeptTrust? {
        guard let bytes = try PrivateFile.read(path, maximumByteCount: KeptTrust.maximumByteCount + 32) else {
            return nil
        }
        let content = Array(bytes.dropFirst(32))
        guard constantTimeEqual(mark(content), Array(bytes.prefix(32))) else {
            throw ServiceStartError.unreadable(path, "it was altered, or another broker's")
        }
        return try KeptTrust(parsing: content)
    }

    /// Puts it in the place of what was kept before.
    func write(_ trust: KeptTrust) throws(ServiceStartError) {
        let content = trust.bytes
        guard content.count <= KeptTrust.maximumByteCount else {
            throw .unwritable(
                path, "keys and lists have \(content.count) bytes; \(KeptTrust.maximumByteCount) are kept")
        }
        try PrivateFile.replace(path, mark(content) + content)
    }

    private func mark(_ content: [UInt8]) -> [UInt8] {
        HMAC.authenticationCode(.sha256, key: key, Self.label, content)
    }
}
