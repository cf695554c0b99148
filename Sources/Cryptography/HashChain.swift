import COpenSSL

/// A register that is extended again and again, as a PCR is: R becomes H(R ‖ digest) (TPM 2.0 Library, Part 1, "PCR Operations").
///
/// It does what ``HashAlgorithm/extend(_:with:)`` does, for hundreds of thousands of extensions: one libcrypto context and one
/// buffer serve them all.
public struct HashChain: ~Copyable {
    /// The hash of the register.
    public let algorithm: HashAlgorithm
    private let context = EVP_MD_CTX_new()
    /// The register, then a digest's room: what the next extension hashes.
    private let joined: UnsafeMutableRawBufferPointer

    /// A register that holds `value`; `nil` unless `value` is as long as a digest.
    public init?(_ algorithm: HashAlgorithm, startingAt value: some Collection<UInt8>) {
        guard value.count == algorithm.byteCount else { return nil }
        self.init(algorithm)
        joined.copyBytes(from: value)
    }

    /// A register of zeros.
    public init(_ algorithm: HashAlgorithm) {
        self.algorithm = algorithm
        joined = .allocate(byteCount: 2 * algorithm.byteCount, alignment: 8)
        joined.initializeMemory(as: UInt8.self, repeating: 0)
        requireSuccess(EVP_DigestInit_ex(context, algorithm.evp, nil), "EVP_DigestInit_ex")
    }

    deinit {
        EVP_MD_CTX_free(context)
        joined.deallocate()
    }

    /// What the register holds.
    public var value: [UInt8] { Array(joined.prefix(algorithm.byteCount)) }

    /// Whether the register holds `expected`. Values of PCRs are public, so the comparison may stop early.
    public func holds(_ expected: [UInt8]) -> Bool { joined.prefix(algorithm.byteCount).elementsEqual(expected) }

    /// Extends with the digest of `bytes`.
    public mutating func extend(withDigestOf bytes: UnsafeRawBufferPointer) {
        digest(bytes, into: algorithm.byteCount)
        digest(UnsafeRawBufferPointer(joined), into: 0)
    }

    /// Extends with a digest that is there already; a shorter one is padded with zeros on the right, and what is too long is cut.
    public mutating func extend(with bytes: UnsafeRawBufferPointer) {
        let room = UnsafeMutableRawBufferPointer(rebasing: joined[algorithm.byteCount...])
        room.initializeMemory(as: UInt8.self, repeating: 0)
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(room.count)))
        digest(UnsafeRawBufferPointer(joined), into: 0)
    }

    private func digest(_ bytes: UnsafeRawBufferPointer, into offset: Int) {
        let output = joined.baseAddress.map { ($0 + offset).assumingMemoryBound(to: UInt8.self) }
        let isDone =
            EVP_DigestInit_ex(context, nil, nil) == 1
            && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
            && EVP_DigestFinal_ex(context, output, nil) == 1
        requireSuccess(isDone ? 1 : 0, "EVP_Digest")
    }
}
