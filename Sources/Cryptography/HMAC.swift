import COpenSSL

/// HMAC (RFC 2104).
public enum HMAC {
    /// The authentication code of `parts`, one after another, under `key`.
    public static func authenticationCode(_ hash: HashAlgorithm, key: [UInt8], _ parts: [UInt8]...) -> [UInt8] {
        let message = parts.count == 1 ? parts[0] : Array(parts.joined())
        return [UInt8](unsafeUninitializedCapacity: hash.byteCount) { output, count in
            // A null key means "keep the last one" to libcrypto, so an empty key is passed as a pointer all the same.
            let padded = key.isEmpty ? [0] : key
            let result = COpenSSL.HMAC(
                hash.evp, padded, CInt(clamping: key.count), message, message.count, output.baseAddress, nil)
            requireSuccess(result == nil ? 0 : 1, "HMAC")
            count = hash.byteCount
        }
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
