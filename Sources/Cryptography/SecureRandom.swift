import COpenSSL

/// Random bytes that nobody can guess (libcrypto's DRBG, seeded by the kernel).
public enum SecureRandom {
    /// `count` fresh bytes.
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            requireSuccess(RAND_bytes(output.baseAddress, CInt(clamping: count)), "RAND_bytes")
            initialized = count
        }
    }
}
