internal import CarnetAttester
internal import Cryptography
internal import Foundation
internal import StrictEncoding
internal import TPM2

extension SoftwareTPM {
    /// Tells swtpm's tools where the authority keeps its keys and certificates: `ca/` in the TPM's directory.
    static func writeAuthorityConfiguration(_ path: String) throws {
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
        }
        try write(
            """
            statedir = \(path)/ca
            signingkey = \(path)/ca/signkey.pem
            issuercert = \(path)/ca/issuercert.pem
            certserial = \(path)/ca/certserial

            """, "localca.conf")
        try write(
            "--platform-manufacturer Carnet\n--platform-version 1.0\n--platform-model software\n", "localca.options")
        try write(
            """
            create_certs_tool = /usr/bin/swtpm_localca
            create_certs_tool_config = \(path)/localca.conf
            create_certs_tool_options = \(path)/localca.options
            active_pcr_banks = sha256

            """, "setup.conf")
    }

    /// Issues a certificate for the P-256 endorsement key, for which swtpm_setup makes none, and stores it where makers do.
    ///
    /// - Throws: When a device is open: the TPM serves one client at a time.
    public func certifyP256() throws {
        guard case .ecc(_, let x, let y) = try device().endorsementKey(.eccP256).publicArea.key else { return }
        try Self.writeAuthorityConfiguration(directory)
        try Command.run(
            "swtpm_localca",
            [
                "--type", "ek", "--ek", "x=\(Hexadecimal.encode(x)),y=\(Hexadecimal.encode(y)),id=secp256r1", "--dir",
                directory,
                "--tpm2", "--tpm-spec-family", "2.0", "--tpm-spec-level", "0", "--tpm-spec-revision", "164",
                "--tpm-manufacturer", "id:00001014", "--tpm-model", "swtpm", "--tpm-version", "id:20191023",
                "--configfile", directory + "/localca.conf", "--optsfile", directory + "/localca.options",
            ])
        let certificate = [UInt8](try Data(contentsOf: URL(filePath: directory + "/ek.cert")))
        try storeNV(TPM.EndorsementKeyTemplate.eccP256.certificateIndex, certificate)
    }

    /// Stores bytes in a new NV index, as a maker does at the factory.
    ///
    /// - Parameter readableByOwnerOnly: Whether only the owner hierarchy's password opens it, not its own empty one.
    public func storeNV(_ index: UInt32, _ bytes: [UInt8], readableByOwnerOnly: Bool = false) throws {
        let socket = try TPMSocket(path: directory + "/tpm.sock")
        try socket.send(
            TPMCommand.defineSpace(
                index: index, byteCount: UInt16(clamping: bytes.count), readableByOwnerOnly: readableByOwnerOnly))
        for start in stride(from: 0, to: bytes.count, by: 1024) {
            let part = Array(bytes[start..<min(start + 1024, bytes.count)])
            try socket.send(TPMCommand.write(index: index, part, offset: UInt16(clamping: start)))
        }
    }
}
