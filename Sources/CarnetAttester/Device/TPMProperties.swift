/// Who made a TPM, and what it runs (`TPM_PT`, Part 2 §6.13).
public struct TPMProperties: Sendable, Hashable {
    /// `TPM_PT_MANUFACTURER`: four bytes, as `STM ` or `IBM`.
    public let manufacturer: String
    /// The maker's name for the model.
    public let model: String
    /// Two words of the maker's version.
    public let firmwareVersion: UInt64
    /// `TPM_PT_REVISION`: the revision of the library specification times 100.
    public let specificationRevision: UInt32
    /// The most bytes that `TPM2_NV_Read` gives at once.
    let maximumReadByteCount: Int
}
