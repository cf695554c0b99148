public import Cryptography
internal import Foundation
internal import StrictEncoding

/// Installs the certificates that a manifest knows, and those that the operator names; refuses the rest.
public struct TrustAnchorImport: Sendable {
    public let manifest: TrustAnchorManifest
    /// Fingerprints that the operator named.
    public let allowed: Set<[UInt8]>

    /// What became of one certificate, or of a file that holds none.
    public struct Outcome: Sendable {
        public enum Decision: Sendable, Hashable {
            /// Known to the manifest, with the maker's name.
            case known(String)
            case named
            case refused
            case unreadable(String)
        }
        /// The file, and the name inside a cabinet.
        public let origin: String
        public let certificate: Certificate?
        public let decision: Decision
        /// Whether it may be installed.
        public var isInstalled: Bool {
            switch decision {
            case .known, .named: true
            case .refused, .unreadable: false
            }
        }
    }

    /// An import under a manifest.
    public init(manifest: TrustAnchorManifest, allowed: Set<[UInt8]>) {
        self.manifest = manifest
        self.allowed = allowed
    }

    /// Judges the certificates of a file's bytes: PEM with any number of them, DER, or a cabinet of such files.
    public func judge(_ bytes: [UInt8], origin: String) -> [Outcome] {
        if bytes.starts(with: Array("MSCF".utf8)) {
            do {
                return try Cabinet.files(bytes).flatMap { file in
                    Self.isCertificateFile(file.name) ? judge(file.bytes, origin: "\(origin): \(file.name)") : []
                }
            } catch {
                return [Outcome(origin: origin, certificate: nil, decision: .unreadable(error.description))]
            }
        }
        do {
            let isPEM = String(decoding: bytes.prefix(65_536), as: UTF8.self).contains("-----BEGIN")
            let certificates = try isPEM ? Certificate.parsePEM(bytes) : [Certificate(der: bytes)]
            guard !certificates.isEmpty else {
                return [Outcome(origin: origin, certificate: nil, decision: .unreadable("it holds no certificate"))]
            }
            return certificates.map { Outcome(origin: origin, certificate: $0, decision: decision($0)) }
        } catch {
            return [Outcome(origin: origin, certificate: nil, decision: .unreadable(error.reason))]
        }
    }

    private func decision(_ certificate: Certificate) -> Outcome.Decision {
        let fingerprint = certificate.fingerprint
        if let entry = manifest.entries[fingerprint] { return .known(entry.maker) }
        return allowed.contains(fingerprint) ? .named : .refused
    }

    /// Judges a file, or every file below a directory (at most 10,000, each at most 16 MiB).
    public func judge(path: String) throws -> [Outcome] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: path])
        }
        guard isDirectory.boolValue else { return judge(try Self.read(path), origin: path) }
        let names = try FileManager.default.subpathsOfDirectory(atPath: path).sorted().prefix(10_000)
        return try names.filter { Self.isCertificateFile($0) || $0.lowercased().hasSuffix(".cab") }.flatMap { name in
            judge(try Self.read(path + "/" + name), origin: name)
        }
    }

    /// Writes what may be installed into a directory, as DER files named by fingerprint; returns how many were new.
    public func install(_ outcomes: [Outcome], into directory: String) throws -> Int {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var count = 0
        for outcome in outcomes where outcome.isInstalled {
            guard let certificate = outcome.certificate else { continue }
            let file = directory + "/" + Hexadecimal.encode(certificate.fingerprint) + ".der"
            if FileManager.default.fileExists(atPath: file) { continue }
            try Data(certificate.der).write(to: URL(filePath: file), options: .atomic)
            count += 1
        }
        return count
    }

    private static func isCertificateFile(_ name: String) -> Bool {
        [".pem", ".crt", ".cer", ".der", ".ca-bundle"].contains { name.lowercased().hasSuffix($0) }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let handle = try FileHandle(forReadingFrom: URL(filePath: path))
        let data = try handle.read(upToCount: (16 << 20) + 1) ?? Data()
        guard data.count <= 16 << 20 else { throw CocoaError(.fileReadTooLarge, userInfo: [NSFilePathErrorKey: path]) }
        return [UInt8](data)
    }
}
