public import TPM2

/// TPM commands as bytes, for what a test does to a TPM behind the attester's back (TPM 2.0 Library, Part 3).
///
/// All authorisations are empty passwords.
public enum TPMCommand {
    /// `TPM2_Startup` with `TPM_SU_CLEAR`.
    public static let startup: [UInt8] = [0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0]
    /// `TPM2_Shutdown` with `TPM_SU_CLEAR`.
    public static let shutdown: [UInt8] = [0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x45, 0, 0]

    /// `TPM2_PCR_Extend` with a digest for each bank.
    public static func extend(pcr: UInt32, _ digests: [(bank: TPM.AlgorithmID, digest: [UInt8])]) -> [UInt8] {
        var parameters = bytes(UInt32(clamping: digests.count))
        for (bank, digest) in digests { parameters += bytes(bank.rawValue) + digest }
        return authorized(0x182, handles: [pcr], parameters)
    }

    /// `TPM2_PCR_Reset`, for the PCRs that may be reset: 16 and 23.
    public static func reset(pcr: UInt32) -> [UInt8] { authorized(0x13D, handles: [pcr], []) }

    /// `TPM2_CreatePrimary` in a hierarchy.
    public static func createPrimary(_ template: TPM.Public, in hierarchy: TPM.Hierarchy) -> [UInt8] {
        let sensitive: [UInt8] = [0, 4, 0, 0, 0, 0]
        let parameters = sensitive + sized(template.bytes) + [0, 0] + [0, 0, 0, 0]
        return authorized(0x131, handles: [hierarchy.rawValue], parameters)
    }

    /// `TPM2_FlushContext`.
    public static func flush(_ handle: UInt32) -> [UInt8] { framed(0x8001, 0x165, bytes(handle)) }

    /// `TPM2_NV_DefineSpace` by the platform, readable by everybody, as makers define the indices for certificates.
    public static func defineSpace(index: UInt32, byteCount: UInt16) -> [UInt8] {
        // PPWRITE, WRITEDEFINE, PPREAD, OWNERREAD, AUTHREAD, NO_DA, PLATFORMCREATE (Part 2 §13.4).
        let attributes: UInt32 = 0x1 | 0x2000 | 0x1_0000 | 0x2_0000 | 0x4_0000 | 0x200_0000 | 0x4000_0000
        let area = bytes(index) + bytes(TPM.AlgorithmID.sha256.rawValue) + bytes(attributes) + [0, 0] + bytes(byteCount)
        return authorized(0x12A, handles: [TPM.Hierarchy.platform.rawValue], [0, 0] + sized(area))
    }

    /// `TPM2_NV_Write` by the platform.
    public static func write(index: UInt32, _ data: [UInt8], offset: UInt16) -> [UInt8] {
        authorized(0x137, handles: [TPM.Hierarchy.platform.rawValue, index], sized(data) + bytes(offset))
    }

    private static func authorized(_ code: UInt32, handles: [UInt32], _ parameters: [UInt8]) -> [UInt8] {
        // One session: TPM_RS_PW, no nonce, no attributes, empty password.
        let session: [UInt8] = [0x40, 0, 0, 0x09, 0, 0, 0, 0, 0]
        return framed(0x8002, code, handles.flatMap(bytes) + bytes(UInt32(session.count)) + session + parameters)
    }

    private static func framed(_ tag: UInt16, _ code: UInt32, _ body: [UInt8]) -> [UInt8] {
        bytes(tag) + bytes(UInt32(clamping: 10 + body.count)) + bytes(code) + body
    }

    private static func sized(_ content: [UInt8]) -> [UInt8] { bytes(UInt16(clamping: content.count)) + content }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
