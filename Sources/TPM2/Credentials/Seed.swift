internal import Cryptography

/// A seed that is shared with a storage key: encrypted to it (RSA) or agreed with it (ECC), Part 1 Annexes B.10 and C.6.
struct Seed {
    let value: [UInt8]
    /// The content of the `TPM2B_ENCRYPTED_SECRET`.
    let encrypted: [UInt8]

    /// A fresh seed for the holder of `parent`.
    static func make(for parent: TPM.Public, label: StaticString) throws(CryptographyError) -> Seed {
        let hash = parent.nameAlgorithm
        let key = try parent.publicKey()
        switch parent.key {
        case .rsa:
            let value = SecureRandom.bytes(hash.byteCount)
            let label = KeyDerivation.terminated(label)
            return Seed(value: value, encrypted: try RSAOAEP.encrypt(value, to: key, hash, label: label))
        case .ecc(let curve, _, _):
            let ephemeral = try PrivateKey.generate(curve)
            guard let ours = ephemeral.publicKey.point else {
                throw CryptographyError(.operationFailed, "the ephemeral key has no point")
            }
            let value = try derive(ephemeral, with: parent, key, ephemeralX: ours.x, label)
            var point = TPM.Writer()
            point.sized(ours.x)
            point.sized(ours.y)
            return Seed(value: value, encrypted: point.bytes)
        }
    }

    /// KDFe over the shared point. All coordinates have full width.
    private static func derive(
        _ ephemeral: PrivateKey, with parent: TPM.Public, _ key: PublicKey, ephemeralX: [UInt8], _ label: StaticString
    ) throws(CryptographyError) -> [UInt8] {
        guard let theirs = key.point else { throw CryptographyError(.invalidKey, "the parent key has no point") }
        let hash = parent.nameAlgorithm
        return KeyDerivation.e(
            hash, sharedSecret: try ephemeral.sharedSecret(with: key), label: label, ephemeralX, theirs.x,
            bits: UInt32(hash.byteCount * 8))
    }
}
