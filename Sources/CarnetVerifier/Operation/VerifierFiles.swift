import CarnetRecords
import CarnetAppraisal
import CarnetService
import Cryptography
import Foundation

/// What a verifier reads of its files before it opens its database. Making one checks all that can be wrong with settings, addresses and
/// files; nothing is changed.
struct VerifierFiles: Sendable {
    /// What it shows to TLS clients; `nil` for plain HTTP.
    let certificate: ServerCertificate?
    /// Operators by the certificates of their TLS clients.
    let clients: ClientCertificates?
    /// The certificates that end endorsement key chains; none without a folder.
    let anchors: [Certificate]
    /// The text of the policy to activate, which is one.
    let policy: [UInt8]?

    /// Reads everything.
    ///
    /// - Throws: ``VerifierConfigurationError`` and ``ServiceStartError``.
    init(_ configuration: VerifierConfiguration) throws {
        try configuration.check()
        certificate = try configuration.security.certificate(for: configuration.address)
        if let address = configuration.metricsAddress, !address.isLoopback, configuration.security == .plainHTTP {
            throw ServiceStartError.plainHTTPBeyondLoopback(address)
        }
        clients = try configuration.clientCertificates.map { settings throws(ServiceStartError) in
            try settings.open(configuration.clock)
        }
        anchors =
            try configuration.trustAnchors.map { path throws(VerifierConfigurationError) in
                try TrustAnchors.load(path)
            } ?? []
        policy = try configuration.policyFile.map { path throws(VerifierConfigurationError) in
            try Self.policy(path)
        }
        if let path = configuration.receiverAuthorityFile { try Self.checkAuthorities(path) }
    }

    private static func policy(_ path: String) throws(VerifierConfigurationError) -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: Policy.maximumByteCount + 1)
        else { throw .policy(path, "the file cannot be read or is empty") }
        do {
            _ = try Policy(parsing: [UInt8](data))
        } catch { throw .policy(path, "\(error)") }
        return [UInt8](data)
    }

    /// Checks that a file holds certificates, and no other blocks: the senders read it at each message.
    private static func checkAuthorities(_ path: String) throws(VerifierConfigurationError) {
        guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: 1 << 20) else {
            throw .receiverAuthorities(path, "the file cannot be read or is empty")
        }
        do {
            guard try !Certificate.parsePEM([UInt8](data)).isEmpty else {
                throw VerifierConfigurationError.receiverAuthorities(path, "no PEM certificate in it")
            }
        } catch let error as VerifierConfigurationError {
            throw error
        } catch { throw .receiverAuthorities(path, "\(error)") }
    }
}
