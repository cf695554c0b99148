internal import Cryptography
internal import Foundation
internal import StrictEncoding

/// What an attester keeps between runs: which keys it uses, and how it is known. Nothing in it is secret: the keys are derived in the
/// TPM from its own seed and the values kept here.
public struct AttesterState: Sendable, Equatable {
    /// The kind of the attestation key.
    public var attestationKey: TPMDevice.AttestationKeyKind
    /// From which the passport key is derived, 32 bytes.
    public let signingUnique: [UInt8]
    /// From which the encryption key is derived, 32 bytes.
    public let encryptionUnique: [UInt8]
    /// The enrolment's subject, once enrolled.
    public var subject: String?
    public var nodeName: String?

    /// Why a state file cannot be used.
    public struct Unusable: Error, CustomStringConvertible {
        public let description: String
    }

    /// A fresh state.
    public init(attestationKey: TPMDevice.AttestationKeyKind = .eccP256) {
        self.attestationKey = attestationKey
        signingUnique = SecureRandom.bytes(32)
        encryptionUnique = SecureRandom.bytes(32)
    }

    /// Reads the state of a directory; `nil` when there is none.
    public init?(in directory: String) throws(Unusable) {
        let path = directory + "/" + Self.fileName
        let next = "Move the file away and enrol again, after an operator removed the old record."
        guard let bytes = try Self.read(path) else { return nil }
        do {
            let root = try JSONDocument(parsing: bytes, maximumByteCount: 16_384, maximumDepth: 2).root
            guard root["version"]?.integer == 1,
                let kind = root["attestation_key"]?.string.flatMap(TPMDevice.AttestationKeyKind.init(rawValue:)),
                let signing = root["signing_unique"]?.string.flatMap({ Base64URL.decode($0) }), signing.count == 32,
                let encryption = root["encryption_unique"]?.string.flatMap({ Base64URL.decode($0) }),
                encryption.count == 32
            else { throw Unusable(description: "\(path) is no state of this version. \(next)") }
            attestationKey = kind
            signingUnique = signing
            encryptionUnique = encryption
            subject = root["subject"]?.string
            nodeName = root["node_name"]?.string
        } catch let error as Unusable {
            throw error
        } catch {
            throw Unusable(description: "\(path) cannot be read: \(error). \(next)")
        }
    }

    /// The file's bytes, at most 16 KiB, if nobody else can have written them; `nil` when there is none. What is looked at is the file
    /// that was opened.
    private static func read(_ path: String) throws(Unusable) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Unusable(description: "\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Unusable(description: "\(path) is not a regular file.")
        }
        guard status.st_mode & 0o022 == 0, status.st_uid == geteuid() || status.st_uid == 0 else {
            throw Unusable(
                description:
                    "\(path) can be changed by others, who could make this machine use their keys: chown it to this user and chmod 600 it."
            )
        }
        do {
            return [UInt8](try handle.read(upToCount: 16_385) ?? Data())
        } catch {
            throw Unusable(description: "\(path) cannot be read: \(error.localizedDescription).")
        }
    }

    /// Writes the state into a directory, which is made if it is missing; mode 0600, replaced at once.
    public func save(in directory: String) throws(Unusable) {
        let state = self
        let bytes = JSONWriter.object { writer in
            writer.integer("version", 1)
            writer.string("attestation_key", state.attestationKey.rawValue)
            writer.base64URL("signing_unique", state.signingUnique)
            writer.base64URL("encryption_unique", state.encryptionUnique)
            if let subject = state.subject { writer.string("subject", subject) }
            if let name = state.nodeName { writer.string("node_name", name) }
        }
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try PrivateFile.write(bytes, to: directory + "/" + Self.fileName)
        } catch {
            throw Unusable(
                description: "The state cannot be written into \(directory): \(error). Name another with --state.")
        }
    }

    private static let fileName = "attester.json"
}
