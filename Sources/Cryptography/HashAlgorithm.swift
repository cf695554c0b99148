import COpenSSL

/// A hash function of FIPS 180-4, computed by OpenSSL's libcrypto.
public enum HashAlgorithm: Sendable, Hashable, CaseIterable {
    /// SHA-1. Only for reading what others wrote (old logs, old certificates); nothing that uses it proves anything.
    case insecureSHA1
    case sha256
    case sha384
    case sha512

    /// The length of a digest, in bytes.
    public var byteCount: Int {
        switch self {
        case .insecureSHA1: 20
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The digest of `bytes`.
    public func hash(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { hash($0) } }

    /// The digest of `bytes`.
    public func hash(_ bytes: ArraySlice<UInt8>) -> [UInt8] { bytes.withUnsafeBytes { hash($0) } }

    /// The digest of `parts`, one after another.
    public func hash(_ first: [UInt8], _ second: [UInt8], _ more: [UInt8]...) -> [UInt8] {
        var hash = IncrementalHash(self)
        hash.update(first)
        hash.update(second)
        for part in more { hash.update(part) }
        return hash.finalize()
    }

    /// The digest of the bytes in `buffer`.
    public func hash(_ buffer: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
            requireSuccess(
                EVP_Digest(buffer.baseAddress, buffer.count, output.baseAddress, nil, evp, nil), "EVP_Digest")
            count = byteCount
        }
    }

    /// Replaces `register` by H(register ‖ digest), as a PCR is extended (TPM 2.0 Library, Part 1, "PCR Operations").
    public func extend(_ register: inout [UInt8], with digest: some Collection<UInt8>) {
        withUnsafeTemporaryAllocation(byteCount: register.count + digest.count, alignment: 1) { joined in
            joined.copyBytes(from: register)
            UnsafeMutableRawBufferPointer(rebasing: joined[register.count...]).copyBytes(from: digest)
            register = hash(UnsafeRawBufferPointer(joined))
        }
    }

    /// libcrypto's own object: fetched once, so that no call pays for looking it up by name.
    var evp: OpaquePointer? {
        switch self {
        case .insecureSHA1: Self.fetched.sha1
        case .sha256: Self.fetched.sha256
        case .sha384: Self.fetched.sha384
        case .sha512: Self.fetched.sha512
        }
    }

    private struct Fetched: @unchecked Sendable {
        let sha1 = EVP_MD_fetch(nil, "SHA1", nil)
        let sha256 = EVP_MD_fetch(nil, "SHA256", nil)
        let sha384 = EVP_MD_fetch(nil, "SHA384", nil)
        let sha512 = EVP_MD_fetch(nil, "SHA512", nil)
    }
    private static let fetched = Fetched()
}
