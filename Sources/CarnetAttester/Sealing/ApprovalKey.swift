public import Cryptography
public import TPM2

/// An operator's public key as a TPM takes it: on P-256, ECDSA with SHA-256.
public enum ApprovalKey {
    /// The public area of a key that an operator holds; `nil` for any other kind of key.
    public static func publicArea(_ key: PublicKey) -> TPM.Public? {
        guard let point = key.point, key.kind == .ellipticCurve(.p256) else { return nil }
        return TPM.Public(
            attributes: [.userWithAuth, .sign], scheme: .ecdsa(.sha256),
            key: .ecc(curve: .p256, x: point.x, y: point.y))
    }

    /// Whether a public area is one that ``publicArea(_:)`` makes.
    static func isOne(_ area: TPM.Public) -> Bool {
        guard let key = try? area.publicKey() else { return false }
        return publicArea(key)?.bytes == area.bytes
    }
}
