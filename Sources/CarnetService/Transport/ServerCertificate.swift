import Foundation
import NIOCore
import NIOSSL
import Synchronization

/// The certificate chain and key that a service shows to new connections, read again when their files have changed.
///
/// A pair is taken only as a whole: both can be read, they belong together, and the certificate is valid now. Otherwise the last good pair
/// stays. Connections that are open keep what they began with.
public final class ServerCertificate: Sendable {
    private let certificateFile: String
    private let privateKeyFile: String
    private let state: Mutex<State>

    private struct State {
        var pair: Pair
        var isRefused = false
        /// The files that were refused last, so that they are told of once.
        var refused: [[UInt8]]?
    }

    private struct Pair {
        let files: [[UInt8]]
        let chain: [NIOSSLCertificate]
        let key: NIOSSLPrivateKey
        let begin: Int64
        let end: Int64
    }

    /// What came of a look at the files.
    public enum Look: Sendable, Hashable {
        /// They are as they were.
        case same
        /// A new pair is in use; its certificate expires then, in seconds since 1970.
        case renewed(expiresAt: Int64)
        /// What is there cannot be used, and the last good pair stays. The reason names no secret.
        case refused(String)
    }

    /// Reads two PEM files.
    ///
    /// - Throws: ``ServiceStartError`` when they cannot be used, or the key can be read by others. A certificate that has expired is taken:
    ///   there is no better one.
    init(certificateFile: String, privateKeyFile: String) throws(ServiceStartError) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
        state = Mutex(State(pair: try Self.read(certificateFile, privateKeyFile)))
    }

    /// When the certificate in use expires, in seconds since 1970.
    public var expiresAt: Int64 { state.withLock(\.pair.end) }
    /// Whether the files hold something that was refused.
    public var isRefused: Bool { state.withLock(\.isRefused) }

    /// Looks at the files, and takes what is in them if it is another pair and a good one.
    ///
    /// - Parameter now: Seconds since 1970.
    public func look(at now: Int64) -> Look {
        let found: Pair
        do {
            found = try Self.read(certificateFile, privateKeyFile)
        } catch {
            return refuse(files: nil, error.description)
        }
        if state.withLock({ $0.pair.files == found.files }) {
            state.withLock {
                $0.isRefused = false
                $0.refused = nil
            }
            return .same
        }
        guard (found.begin...max(found.begin, found.end)).contains(now), now <= found.end else {
            return refuse(files: found.files, "Cannot use \(certificateFile): its certificate is not valid now")
        }
        state.withLock { $0 = State(pair: found) }
        return .renewed(expiresAt: found.end)
    }

    private func refuse(files: [[UInt8]]?, _ reason: String) -> Look {
        let files = files ?? [Array(reason.utf8)]
        return state.withLock { state in
            defer {
                state.isRefused = true
                state.refused = files
            }
            return state.refused == files ? .same : .refused(reason)
        }
    }

    /// The configuration of a server that shows, to each new connection, the pair that is in use then.
    var configuration: TLSConfiguration {
        let pair = state.withLock(\.pair)
        var configuration = Self.configuration(pair.chain, pair.key)
        configuration.sslContextCallback = { _, promise in
            let pair = self.state.withLock(\.pair)
            var override = NIOSSLContextConfigurationOverride()
            override.certificateChain = pair.chain.map { .certificate($0) }
            override.privateKey = .privateKey(pair.key)
            promise.succeed(override)
        }
        return configuration
    }

    private static func configuration(_ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    private static func read(_ certificateFile: String, _ privateKeyFile: String) throws(ServiceStartError) -> Pair {
        try PrivateFile.check(privateKeyFile, mayReadGroup: true)
        let files = [try content(certificateFile), try content(privateKeyFile)]
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(files[0])
            guard let first = chain.first else {
                throw ServiceStartError.unreadable(certificateFile, "no certificate in it")
            }
            let key = try NIOSSLPrivateKey(bytes: files[1], format: .pem)
            do {
                _ = try NIOSSLContext(configuration: configuration(chain, key))
            } catch NIOSSLError.failedToLoadPrivateKey {
                // It was read above: what is wrong with it is whose it is.
                throw ServiceStartError.unreadable(
                    privateKeyFile,
                    "it is not the private key of the first certificate in \(certificateFile). Give the two that belong together."
                )
            }
            return Pair(
                files: files, chain: chain, key: key, begin: Int64(first.notValidBefore),
                end: Int64(first.notValidAfter))
        } catch let error as ServiceStartError {
            throw error
        } catch {
            throw .unreadable(
                "\(certificateFile) with \(privateKeyFile)",
                "they are not a PEM certificate chain and the PEM private key of its first certificate (\(error))")
        }
    }

    private static func content(_ path: String) throws(ServiceStartError) -> [UInt8] {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: 1 << 20) else {
            throw .unreadable(path, "it cannot be read, or is empty")
        }
        return Array(data)
    }
}
