/// One list of a signature database (`EFI_SIGNATURE_LIST`, UEFI Specification §32.4.1).
///
/// All of its signatures have one type and one length. The bytes are views into the log; nothing is copied.
public struct SignatureList: Sendable {
    /// What its signatures are.
    public enum Kind: Sendable, Hashable {
        /// SHA-256 digests of images (`EFI_CERT_SHA256_GUID`): Authenticode's.
        case sha256
        /// One X.509 certificate in DER (`EFI_CERT_X509_GUID`).
        case x509
        /// The SHA-256 digest of a certificate's signed part, and from when it is revoked (`EFI_CERT_X509_SHA256_GUID`).
        case x509SHA256
        /// A type that Carnet keeps and does not interpret.
        case other(GUID)
    }

    /// What its signatures are.
    public let kind: Kind
    /// How many signatures it has, 1 at least.
    public let count: Int

    private let signatures: ArraySlice<UInt8>
    private let stride: Int

    /// A signature by its number from 0; traps beyond ``count``, as an array does.
    public subscript(index: Int) -> SignatureData {
        let start = signatures.startIndex + index * stride
        return SignatureData(kind: kind, bytes: signatures[start..<(start + stride)])
    }

    /// Reads the list at the front of `bytes` and takes it away from them.
    init(reading bytes: inout ArraySlice<UInt8>) throws(SignatureListError) {
        guard bytes.count >= 28, let type = GUID(bytes.prefix(16)) else { throw .truncated }
        let listSize = bytes.littleEndian32(at: 16)
        let headerSize = bytes.littleEndian32(at: 20)
        let signatureSize = bytes.littleEndian32(at: 24)
        guard listSize >= 28, listSize <= bytes.count else { throw .listSize(listSize) }
        // No type of the specification has a header. Its bytes must never be taken for signatures.
        guard headerSize == 0 else { throw .headerBytes(headerSize) }
        let kind = Kind(type)
        guard signatureSize > 16, kind.signatureSize.map({ $0 == signatureSize }) ?? true else {
            throw .signatureSize(signatureSize)
        }
        let (count, rest) = (listSize - 28).quotientAndRemainder(dividingBy: signatureSize)
        guard rest == 0, count >= 1 else { throw .listSize(listSize) }
        self.kind = kind
        self.count = count
        stride = signatureSize
        signatures = bytes.prefix(listSize).dropFirst(28)
        if kind == .x509 {
            for index in 0..<count where !self[index].data.isOneDERSequence { throw .certificate }
        }
        bytes = bytes.dropFirst(listSize)
    }
}

extension SignatureList.Kind {
    fileprivate init(_ type: GUID) {
        switch type {
        // c1c41626-504c-4092-aca9-41f936934328, a5c059a1-94e4-4aa7-87b5-ab155c2bf072, 3bd2a492-96c0-4079-b420-fcf98ef103ed
        case GUID(0x2616_C4C1_4C50_9240, 0xACA9_41F9_3693_4328): self = .sha256
        case GUID(0xA159_C0A5_E494_A74A, 0x87B5_AB15_5C2B_F072): self = .x509
        case GUID(0x92A4_D23B_C096_7940, 0xB420_FCF9_8EF1_03ED): self = .x509SHA256
        default: self = .other(type)
        }
    }

    /// The length of owner and signature, in bytes, where the type fixes it.
    fileprivate var signatureSize: Int? {
        switch self {
        case .sha256: 16 + 32
        case .x509SHA256: 16 + 32 + 16
        case .x509, .other: nil
        }
    }
}

extension ArraySlice<UInt8> {
    /// The number in the four bytes at an offset that is known to be inside.
    func littleEndian32(at offset: Int) -> Int {
        let start = startIndex + offset
        return Int(self[start]) | Int(self[start + 1]) << 8 | Int(self[start + 2]) << 16 | Int(self[start + 3]) << 24
    }

    /// The number in the eight bytes at an offset that is known to be inside.
    func littleEndian64(at offset: Int) -> UInt64 {
        UInt64(littleEndian32(at: offset)) | UInt64(littleEndian32(at: offset + 4)) << 32
    }

    /// Whether these bytes are one DER SEQUENCE by tag and length, as every certificate is; what is inside is not looked at.
    var isOneDERSequence: Bool {
        guard count >= 2, self[startIndex] == 0x30 else { return false }
        let short = self[startIndex + 1]
        if short < 0x80 { return count == 2 + Int(short) }
        let width = Int(short & 0x7F)
        guard (1...3).contains(width), count >= 2 + width else { return false }
        let length = self[(startIndex + 2)..<(startIndex + 2 + width)].reduce(0) { $0 << 8 | Int($1) }
        return count == 2 + width + length
    }
}
