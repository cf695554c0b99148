/// A `TPMS_ATTEST` (TPM 2.0 Library, Part 2 §10.12) whose every field can be set, also to what no TPM would write. Big-endian.
public struct ForgedAttestation: Sendable {
    public var magic: UInt32 = 0xFF54_4347
    public var type: UInt16
    public var qualifiedSigner: [UInt8]
    public var extraData: [UInt8]
    /// Milliseconds.
    public var clock: UInt64 = 0
    public var resetCount: UInt32 = 0
    public var restartCount: UInt32 = 0
    public var safe: UInt8 = 1
    public var firmwareVersion: UInt64 = 0x2022_0101_0000_0001
    /// The union's arm, as it stands: selection and digest of a quote, names of a certification.
    public var attested: [UInt8]
    public var trailingBytes: [UInt8] = []

    /// An attestation of a type, by a signer.
    public init(type: UInt16, qualifiedSigner: [UInt8], extraData: [UInt8], attested: [UInt8]) {
        self.type = type
        self.qualifiedSigner = qualifiedSigner
        self.extraData = extraData
        self.attested = attested
    }

    /// `TPM_ST_ATTEST_QUOTE`.
    public static let quote: UInt16 = 0x8018
    /// `TPM_ST_ATTEST_CERTIFY`.
    public static let certify: UInt16 = 0x8017

    /// The structure.
    public var bytes: [UInt8] {
        magic.bigEndianBytes + type.bigEndianBytes + qualifiedSigner.sized + extraData.sized + clock.bigEndianBytes
            + resetCount.bigEndianBytes + restartCount.bigEndianBytes + [safe] + firmwareVersion.bigEndianBytes
            + attested + trailingBytes
    }
}

extension FixedWidthInteger {
    /// The integer's bytes, the highest first.
    package var bigEndianBytes: [UInt8] {
        stride(from: bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}

extension [UInt8] {
    /// A `TPM2B`: two bytes of size, and the bytes.
    package var sized: [UInt8] { UInt16(clamping: count).bigEndianBytes + self }
}
