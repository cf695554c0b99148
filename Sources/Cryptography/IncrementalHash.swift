import COpenSSL

/// A digest over bytes that arrive in parts.
public struct IncrementalHash {
    private let algorithm: HashAlgorithm
    private let context: Context

    /// An empty digest of `algorithm`.
    public init(_ algorithm: HashAlgorithm) {
        self.algorithm = algorithm
        context = Context(algorithm)
    }

    /// Adds `bytes`.
    public mutating func update(_ bytes: [UInt8]) {
        requireSuccess(EVP_DigestUpdate(context.pointer, bytes, bytes.count), "EVP_DigestUpdate")
    }

    /// Adds `bytes`.
    public mutating func update(_ bytes: ArraySlice<UInt8>) {
        let code = bytes.withUnsafeBytes { EVP_DigestUpdate(context.pointer, $0.baseAddress, $0.count) }
        requireSuccess(code, "EVP_DigestUpdate")
    }

    /// The digest of all that was added. The value must not be used afterwards.
    public mutating func finalize() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { output, count in
            requireSuccess(EVP_DigestFinal_ex(context.pointer, output.baseAddress, nil), "EVP_DigestFinal_ex")
            count = algorithm.byteCount
        }
    }

    private final class Context {
        let pointer = EVP_MD_CTX_new()

        init(_ algorithm: HashAlgorithm) {
            requireSuccess(EVP_DigestInit_ex(pointer, algorithm.evp, nil), "EVP_DigestInit_ex")
        }

        deinit { EVP_MD_CTX_free(pointer) }
    }
}
