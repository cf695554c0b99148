internal import Cryptography

/// What a TPM signs along with its attestation: the nonce and the keys to bind, in one interpretation only.
public enum QualifyingData {
    /// Of a quote: SHA-256("carnet/quote/v1" ‖ 00 ‖ nonce ‖ SHA-256(bound)), 32 bytes.
    public static func ofQuote(nonce: [UInt8], bound: [UInt8]) -> [UInt8] { digest("carnet/quote/v1", nonce, bound) }

    /// Of the certification of a bound key: SHA-256("carnet/certify/v1" ‖ 00 ‖ nonce ‖ SHA-256(bound)), 32 bytes.
    public static func ofCertification(nonce: [UInt8], bound: [UInt8]) -> [UInt8] {
        digest("carnet/certify/v1", nonce, bound)
    }

    private static func digest(_ label: String, _ nonce: [UInt8], _ bound: [UInt8]) -> [UInt8] {
        HashAlgorithm.sha256.hash(Array(label.utf8) + [0], nonce, HashAlgorithm.sha256.hash(bound))
    }
}
