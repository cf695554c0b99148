import COpenSSL
import Glibc

/// One digest after another with one context of OpenSSL: for replays, which hash thousands of short inputs and allocate for none.
public struct RepeatedHash: ~Copyable {
    /// The hash function.
    public let algorithm: HashAlgorithm
    private let context: OpaquePointer?

    /// A context of `algorithm`.
    public init(_ algorithm: HashAlgorithm) {
        self.algorithm = algorithm
        context = EVP_MD_CTX_new()
        requireSuccess(EVP_DigestInit_ex2(context, algorithm.evp, nil), "EVP_DigestInit_ex2")
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Calls `body` with the digest of `input`, which lives only as long as the call.
    public borrowing func withDigest<Result>(
        of input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: algorithm.byteCount, alignment: 8) { output in
            hash(input, into: output)
            return body(UnsafeRawBufferPointer(output))
        }
    }

    /// Whether `digest` is that of `input`.
    public borrowing func covers(_ input: ArraySlice<UInt8>, digest: ArraySlice<UInt8>) -> Bool {
        input.withUnsafeBytes { input in
            digest.withUnsafeBytes { digest in
                guard digest.count == algorithm.byteCount, let expected = digest.baseAddress else { return false }
                return withDigest(of: input) { $0.baseAddress.map { memcmp($0, expected, digest.count) == 0 } ?? false }
            }
        }
    }

    /// Replaces `register` by H(register ‖ digest), as a PCR is extended (TPM 2.0 Library, Part 1, "PCR Operations").
    ///
    /// - Parameter register: As many bytes as the hash function's digests have.
    public borrowing func extend(_ register: UnsafeMutableRawBufferPointer, with digest: UnsafeRawBufferPointer) {
        precondition(register.count == algorithm.byteCount)
        start()
        update(UnsafeRawBufferPointer(register))
        update(digest)
        finish(into: register)
    }

    private borrowing func hash(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
        start()
        update(input)
        finish(into: output)
    }

    /// The same function again: OpenSSL keeps its state's memory.
    private borrowing func start() { requireSuccess(EVP_DigestInit_ex2(context, nil, nil), "EVP_DigestInit_ex2") }

    private borrowing func update(_ bytes: UnsafeRawBufferPointer) {
        requireSuccess(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count), "EVP_DigestUpdate")
    }

    private borrowing func finish(into output: UnsafeMutableRawBufferPointer) {
        requireSuccess(EVP_DigestFinal_ex(context, output.baseAddress, nil), "EVP_DigestFinal_ex")
    }
}
