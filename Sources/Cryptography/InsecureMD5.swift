import COpenSSL

/// MD5 (RFC 1321), only to compare with checksums that others published, as in Debian's packages.
///
/// Anybody can make two files of one MD5. An equal checksum says that a file was not changed by accident, and nothing more.
public struct InsecureMD5 {
    /// The length of a digest, in bytes.
    public static let byteCount = 16

    private let context: Context

    /// An empty digest; `nil` where libcrypto is configured to refuse MD5.
    public init?() {
        guard let context = Context() else { return nil }
        self.context = context
    }

    /// Adds `bytes`.
    public mutating func update(_ bytes: ArraySlice<UInt8>) {
        let code = bytes.withUnsafeBytes { EVP_DigestUpdate(context.pointer, $0.baseAddress, $0.count) }
        requireSuccess(code, "EVP_DigestUpdate")
    }

    /// The digest of all that was added. The value must not be used afterwards.
    public mutating func finalize() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.byteCount) { output, count in
            requireSuccess(EVP_DigestFinal_ex(context.pointer, output.baseAddress, nil), "EVP_DigestFinal_ex")
            count = Self.byteCount
        }
    }

    private final class Context {
        let pointer: OpaquePointer?

        init?() {
            pointer = EVP_MD_CTX_new()
            let algorithm = EVP_MD_fetch(nil, "MD5", nil)
            defer { EVP_MD_free(algorithm) }
            guard algorithm != nil, EVP_DigestInit_ex(pointer, algorithm, nil) == 1 else {
                ERR_clear_error()
                return nil
            }
        }

        deinit { EVP_MD_CTX_free(pointer) }
    }
}
