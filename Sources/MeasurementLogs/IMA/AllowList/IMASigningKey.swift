public import Cryptography

/// A key whose signatures over files are believed.
public struct IMASigningKey: Sendable {
    /// The number that signatures name it by: the last four bytes of its certificate's subject key identifier, big-endian.
    public let keyID: UInt32
    /// RSA of at least 2048 bits, or a NIST curve.
    public let key: PublicKey

    /// A key with the identifier of its certificate.
    ///
    /// - Throws: ``CryptographyError/Code/invalidKey`` for RSA below 2048 bits.
    public init(_ key: PublicKey, keyID: UInt32) throws(CryptographyError) {
        if case .rsa(let bits) = key.kind, bits < 2048 {
            throw CryptographyError(.invalidKey, "an RSA key of \(bits) bits signs no files")
        }
        self.key = key
        self.keyID = keyID
    }

    /// A key with the identifier that is usual: the end of the SHA-1 digest of its bits (RFC 5280 §4.2.1.2, method 1; evmctl's `calc_keyid_v2`).
    public init(_ key: PublicKey) throws(CryptographyError) {
        guard let bits = Self.subjectPublicKey(in: try key.subjectPublicKeyInfo) else {
            throw CryptographyError(.invalidKey, "the key's bits cannot be found")
        }
        let digest = HashAlgorithm.insecureSHA1.hash(bits)
        try self.init(key, keyID: digest.suffix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }

    /// Whether the key signed a file's digest: the whole file's, in the hash that the signature names, SHA-256 or better.
    func signed(_ digest: IMADigest, _ signature: IMASignature) -> Bool {
        guard digest.kind == .file, signature.algorithm == digest.algorithm, signature.keyID == keyID,
            digest.algorithm.isCollisionResistant, let hash = digest.algorithm.hash
        else { return false }
        return key.isValidSignature(Array(signature.bytes), ofDigest: digest.bytes, hash)
    }

    /// The BIT STRING's content in SEQUENCE { SEQUENCE algorithm, BIT STRING } as libcrypto writes it.
    private static func subjectPublicKey(in der: [UInt8]) -> ArraySlice<UInt8>? {
        var outer = der[...]
        guard var body = element(0x30, &outer), outer.isEmpty, element(0x30, &body) != nil,
            let bits = element(0x03, &body), body.isEmpty, bits.first == 0
        else { return nil }
        return bits.dropFirst()
    }

    private static func element(_ tag: UInt8, _ input: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard input.popFirst() == tag, let first = input.popFirst() else { return nil }
        var count = Int(first)
        if first >= 0x80 {
            guard first == 0x81 || first == 0x82, input.count >= Int(first & 0x7F) else { return nil }
            count = input.prefix(Int(first & 0x7F)).reduce(0) { $0 << 8 | Int($1) }
            input = input.dropFirst(Int(first & 0x7F))
        }
        guard count <= input.count else { return nil }
        defer { input = input.dropFirst(count) }
        return input.prefix(count)
    }
}
