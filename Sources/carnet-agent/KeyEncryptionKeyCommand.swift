import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import CarnetResult
import Cryptography
import StrictEncoding
import TPM2

struct KeyEncryptionKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kek", abstract: "A verifier's key-encryption key, sealed by its machine's TPM.",
        subcommands: [SealCommand.self, UnsealCommand.self])

    /// The storage key under which key-encryption keys are sealed: the same at every call until the TPM is cleared.
    static let parent = HashAlgorithm.sha256.hash(Array("carnet/key-encryption-key/parent/v1".utf8))

    struct SealCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "seal",
            abstract:
                "Seal a key-encryption key, so that only this TPM opens it, and only while PCRs hold their values.",
            discussion: """
                Examples:
                  carnet-agent kek seal --out /etc/carnet/kek.sealed
                  carnet-agent kek seal --pcrs sha256:0,7 --key-file key-encryption-key --out kek.sealed

                Without --key-file a new key is made, which nobody sees. Keep a copy of the key where the machine is not: when the TPM is
                cleared, the board replaced or a PCR moved for good, the sealed file opens nothing.
                """)

        @Option(help: "The TPM, as a TCTI string.")
        var tcti = TPMDevice.standardDevice

        @Option(help: "The PCRs that must keep their values, as sha256:7 (Secure Boot's state and authorities).")
        var pcrs = "sha256:7"

        @Option(help: "The file of the key to seal: one line of base64url, 32 bytes. By default a new one is made.")
        var keyFile: String?

        @Option(help: "The file for the sealed key; by default standard output.")
        var out: String?

        func run() throws {
            guard let selection = TPM.PCRSelectionList(text: pcrs) else {
                throw ValidationError("--pcrs \(pcrs) is no PCR selection, such as sha256:0,7")
            }
            let key = try keyFile.map { try Self.key(in: $0) } ?? SecureRandom.bytes(32)
            let device = try TPMDevice(tcti)
            let parent = try device.storageKey(unique: KeyEncryptionKeyCommand.parent)
            guard let policy = TPM.PolicyDigest(.sha256).pcr(selection, in: try device.readPCRs(selection)) else {
                throw Failure(.unreachable, "The TPM has no such PCRs as \(pcrs).")
            }
            let line = Array(Base64URL.encode(key).utf8)
            let blob = try TPM.ImportBlob.make(line, policy: policy, for: parent.publicArea)
            let message = ImportMessage(
                parent: parent.publicArea.name.bytes, pcrs: selection.text, publicArea: blob.publicArea,
                duplicate: blob.duplicate, encryptedSeed: blob.encryptedSeed)
            try Output.bytes(message.bytes + [0x0A], to: out)
        }

        private static func key(in path: String) throws -> [UInt8] {
            guard let key = Base64URL.decode(String(decoding: try Input.token(path), as: UTF8.self)), key.count == 32
            else { throw Failure(.unreadable, "\(path) does not hold 32 bytes in base64url.") }
            return key
        }
    }

    struct UnsealCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unseal", abstract: "Print a key-encryption key that this TPM sealed.",
            discussion: """
                Example:
                  carnet-verifier --key-encryption-key-command 'carnet-agent kek unseal /etc/carnet/kek.sealed' …

                The key goes to standard output, one line of base64url: to a pipe, and not to a file.
                """)

        @Option(help: "The TPM, as a TCTI string.")
        var tcti = TPMDevice.standardDevice

        @Argument(help: "The file of the sealed key.")
        var file: String

        func run() throws {
            do {
                let message = try ImportMessage(parsing: Input.token(file))
                let device = try TPMDevice(tcti)
                let parent = try device.storageKey(unique: KeyEncryptionKeyCommand.parent)
                guard parent.publicArea.name.bytes == message.parent,
                    let selection = TPM.PCRSelectionList(text: message.pcrs)
                else { throw JOSEError.notAuthentic("another TPM sealed it, or this one was cleared since") }
                let blob = TPM.ImportBlob(
                    publicArea: message.publicArea, duplicate: message.duplicate, encryptedSeed: message.encryptedSeed)
                try Output.bytes(try device.unseal(blob, under: parent, selection: selection) + [0x0A], to: nil)
            } catch let error as JOSEError {
                throw Failure(.refused, "\(file) cannot be opened here: \(error)")
            }
        }
    }
}
