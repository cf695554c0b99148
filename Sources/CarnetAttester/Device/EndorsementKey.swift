internal import Cryptography
public import TPM2

/// A TPM's endorsement key of the low range, as the TPM and its maker describe it (TCG EK Credential Profile 2.6, §2.2).
public struct EndorsementKey: Sendable, Hashable {
    /// From which of the profile's templates it is made.
    public let kind: TPM.EndorsementKeyTemplate
    /// `TPMT_PUBLIC`.
    public let publicArea: TPM.Public
    /// The maker's certificate for it, DER without padding; `nil` when the TPM holds none.
    public let certificate: [UInt8]?
    /// The certificates above it that the TPM holds, DER.
    public let chain: [[UInt8]]
}

extension TPMConnection {
    /// Makes the endorsement key, runs `body` with it, and flushes it.
    ///
    /// A template or a nonce that the maker stored in NV is honoured, since the certificate is for the key made from it.
    public func withEndorsementKey<Result>(
        _ kind: TPM.EndorsementKeyTemplate, _ body: (LoadedKey) throws -> Result
    ) throws -> Result {
        try withPrimaryKey(try endorsementTemplate(kind), in: .endorsement, body)
    }

    /// The endorsement key with what the TPM holds about it.
    public func endorsementKey(_ kind: TPM.EndorsementKeyTemplate) throws -> EndorsementKey {
        let certificate = try readNV(kind.certificateIndex).flatMap { CertificateArea.certificates(in: $0).first }
        return EndorsementKey(
            kind: kind, publicArea: try withEndorsementKey(kind) { $0.publicArea }, certificate: certificate,
            chain: try endorsementChain())
    }

    /// The certificates of 0x01C00100 to 0x01C001FF (§2.2.1.5.2): concatenated, possibly over several indices.
    public func endorsementChain() throws(TPMError) -> [[UInt8]] {
        var bytes: [UInt8] = []
        for index in try indices(in: 0x01C0_0100...0x01C0_01FF) { bytes += try readNV(index) ?? [] }
        return CertificateArea.certificates(in: bytes)
    }

    /// The EK certificates of all ranges that the TPM holds, by NV index: low (…02, …0A) and high (…12 to …1E).
    public func endorsementCertificates() throws(TPMError) -> [UInt32: [UInt8]] {
        let indices: [UInt32] = [
            0x01C0_0002, 0x01C0_000A, 0x01C0_0012, 0x01C0_0014, 0x01C0_0016, 0x01C0_0018, 0x01C0_001A, 0x01C0_001C,
            0x01C0_001E,
        ]
        var certificates: [UInt32: [UInt8]] = [:]
        for index in indices { certificates[index] = try readNV(index).flatMap { CertificateArea.certificates(in: $0).first } }
        return certificates
    }

    /// The default template, or the one stored beside the certificate (…04, …0C); with the nonce (…03, …0B) in `unique`.
    func endorsementTemplate(_ kind: TPM.EndorsementKeyTemplate) throws(TPMError) -> TPM.Public {
        if let stored = try readNV(kind.certificateIndex + 2) {
            do {
                return try TPM.Public(parsing: stored)
            } catch let failure {
                throw error(.malformed, "EK template", "the template in NV cannot be read: \(failure)")
            }
        }
        let template = kind.publicArea
        guard let nonce = try readNV(kind.certificateIndex + 1) else { return template }
        return template.with(nonce: nonce)
    }
}

extension TPM.Public {
    /// The same template with a nonce at the front of `unique`, zeros behind it (§2.2.1.4).
    func with(nonce: [UInt8]) -> TPM.Public {
        func padded(_ count: Int) -> [UInt8] {
            let front = nonce.prefix(count)
            return front + [UInt8](repeating: 0, count: count - front.count)
        }
        let key: Key =
            switch key {
            case .rsa(let bits, let exponent, _):
                .rsa(bits: bits, exponent: exponent, modulus: padded(Int(bits) / 8))
            case .ecc(let curve, _, _):
                .ecc(
                    curve: curve, x: padded(curve.coordinateByteCount),
                    y: [UInt8](repeating: 0, count: curve.coordinateByteCount))
            }
        return TPM.Public(
            nameAlgorithm: nameAlgorithm, attributes: attributes, authPolicy: authPolicy, symmetric: symmetric,
            scheme: scheme, key: key)
    }
}
