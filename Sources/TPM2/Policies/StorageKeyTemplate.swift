internal import Cryptography

extension TPM {
    /// The one template of storage keys on P-256 that Carnet makes and accepts: a restricted decryption key with AES-128 in CFB mode, the
    /// family that a storage root key belongs to (TCG TPM v2.0 Provisioning Guidance §7.5.1).
    public enum StorageKeyTemplate {
        /// The public area of the key with this point; of the template, with anything in `x` that makes the derived key another.
        ///
        /// - Parameters:
        ///   - x: Big-endian, 32 bytes in a key.
        ///   - y: Big-endian, 32 bytes in a key; empty in a template.
        public static func publicArea(x: [UInt8], y: [UInt8]) -> Public {
            Public(
                attributes: [
                    .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .noDA, .restricted, .decrypt,
                ],
                symmetric: .aesCFB(bits: 128), key: .ecc(curve: .p256, x: x, y: y))
        }
    }
}
