internal import Foundation
internal import TPM2

/// Makes software TPMs as a factory does: with endorsement keys certified by a certificate authority of its own.
public struct TPMManufacturer: Sendable {
    /// Which endorsement certificates a TPM leaves the factory with.
    public enum Certificates: Sendable, Hashable {
        /// RSA 2048 at 0x01C00002, and P-384 of the high range at 0x01C00016.
        case rsa
        /// Those, and P-256 at 0x01C0000A.
        case rsaAndP256
        /// None, as many virtual machines have it.
        case none
    }

    /// The PCR banks that are active, as swtpm names them: `sha256`, `sha256,sha384`.
    public let banks: String
    /// The certificates.
    public let certificates: Certificates

    /// A factory for one kind of TPM.
    public init(banks: String = "sha256", certificates: Certificates = .rsaAndP256) {
        self.banks = banks
        self.certificates = certificates
    }

    /// Makes one TPM in `directory`, which must not exist: its state in `state/`, the authority's certificates in `ca/`.
    ///
    /// Takes about a second: keys for the authority and the TPM. ``SoftwareTPM/init(_:)`` copies one that was made before.
    public func make(in directory: String) throws {
        let files = FileManager.default
        for folder in ["state", "ca"] {
            try files.createDirectory(
                atPath: directory + "/" + folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        try write(configuration(directory), directory)
        var arguments = [
            "--tpm2", "--tpmstate", directory + "/state", "--config", directory + "/swtpm_setup.conf", "--pcr-banks", banks,
            "--overwrite", "--logfile", directory + "/setup.log",
        ]
        if certificates != .none { arguments += ["--create-ek-cert", "--create-platform-cert", "--lock-nvram"] }
        try Program.find("swtpm_setup").run(arguments)
        if certificates == .rsaAndP256 { try certifyP256(in: directory) }
    }

    /// The authority's certificates in PEM: the root and the one that signs endorsement certificates.
    public static func authorityFiles(in directory: String) -> [String] {
        ["/ca/swtpm-localca-rootca-cert.pem", "/ca/issuercert.pem"].map { directory + $0 }
    }

    /// Issues a certificate for the P-256 endorsement key, which swtpm_setup does not make, and stores it where makers do.
    private func certifyP256(in directory: String) throws {
        let template = TPM.EndorsementKeyTemplate.eccP256
        let process = try SoftwareTPMProcess(directory: directory)
        defer { process.stop() }
        let socket = try TPMSocket(path: process.socketPath)
        let answer = try socket.send(TPMCommand.createPrimary(template.publicArea, in: .endorsement))
        // handle, parameterSize, TPM2B_PUBLIC …
        guard answer.count > 10, case let count = Int(answer[8]) << 8 | Int(answer[9]), answer.count >= 10 + count,
            case .ecc(_, let x, let y) = try TPM.Public(parsing: Array(answer[10..<(10 + count)])).key
        else { throw SoftwareTPMError("the software TPM made no P-256 endorsement key") }
        try socket.send(TPMCommand.flush(answer.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }))
        let certificate = try issue(x: x, y: y, in: directory)
        let index = template.certificateIndex
        try socket.send(TPMCommand.defineSpace(index: index, byteCount: UInt16(clamping: certificate.count)))
        for start in stride(from: 0, to: certificate.count, by: 1024) {
            let part = Array(certificate[start..<min(start + 1024, certificate.count)])
            try socket.send(TPMCommand.write(index: index, part, offset: UInt16(clamping: start)))
        }
        try socket.send(TPMCommand.shutdown)
    }

    private func issue(x: [UInt8], y: [UInt8], in directory: String) throws -> [UInt8] {
        let folder = directory + "/ek"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Program.find("swtpm_localca").run([
            "--type", "ek", "--ek", "x=\(hexadecimal(x)),y=\(hexadecimal(y)),id=secp256r1", "--dir", folder, "--tpm2",
            "--tpm-spec-family", "2.0", "--tpm-spec-level", "0", "--tpm-spec-revision", "164", "--tpm-manufacturer",
            "id:00001014", "--tpm-model", "swtpm", "--tpm-version", "id:20191023", "--configfile",
            directory + "/swtpm-localca.conf", "--optsfile", directory + "/swtpm-localca.options",
        ])
        return [UInt8](try Data(contentsOf: URL(filePath: folder + "/ek.cert")))
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func configuration(_ directory: String) -> [String: String] {
        let ca = directory + "/ca"
        return [
            "swtpm-localca.conf": """
            statedir = \(ca)
            signingkey = \(ca)/signkey.pem
            issuercert = \(ca)/issuercert.pem
            certserial = \(ca)/certserial

            """,
            "swtpm-localca.options": """
            --platform-manufacturer Carnet
            --platform-version 1.0
            --platform-model test

            """,
            "swtpm_setup.conf": """
            create_certs_tool = /usr/bin/swtpm_localca
            create_certs_tool_config = \(directory)/swtpm-localca.conf
            create_certs_tool_options = \(directory)/swtpm-localca.options
            active_pcr_banks = \(banks)

            """,
        ]
    }

    private func write(_ files: [String: String], _ directory: String) throws {
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: directory + "/" + name)) }
    }
}
