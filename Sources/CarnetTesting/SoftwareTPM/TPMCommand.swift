internal import TPM2

/// TPM commands as bytes, for what a test does to a TPM behind the attester's back (TPM 2.0 Library, Part 3).
///
/// All authorisations are empty passwords.
enum TPMCommand {
    /// `TPM2_NV_DefineSpace` by the platform, as makers define the indices for certificates.
    ///
    /// - Parameter readableByOwnerOnly: Whether the index's own password, which is empty, is not enough to read it.
    static func defineSpace(index: UInt32, byteCount: UInt16, readableByOwnerOnly: Bool = false) -> [UInt8] {
        // PPWRITE, WRITEDEFINE, PPREAD, OWNERREAD, NO_DA, PLATFORMCREATE, and AUTHREAD (Part 2 §13.4).
        let common: UInt32 = 0x1 | 0x2000 | 0x1_0000 | 0x2_0000 | 0x200_0000 | 0x4000_0000
        let attributes = readableByOwnerOnly ? common : common | 0x4_0000
        let area =
            bytes(index) + bytes(TPM.AlgorithmID.sha256.rawValue) + bytes(attributes) + [0, 0] + bytes(byteCount)
        return authorized(0x12A, handles: [TPM.Hierarchy.platform.rawValue], [0, 0] + sized(area))
    }

    /// `TPM2_NV_Write` by the platform.
    static func write(index: UInt32, _ data: [UInt8], offset: UInt16) -> [UInt8] {
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
