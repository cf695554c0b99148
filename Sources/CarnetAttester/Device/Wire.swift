internal import CTSS2

/// Carries bytes into and out of the C structures of tpm2-tss, always through its own marshalling.
enum Wire {
    typealias Unmarshal<Structure> = (
        UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<Int>?, UnsafeMutablePointer<Structure>?
    ) -> TSS2_RC
    typealias Marshal<Structure> = (
        UnsafePointer<Structure>?, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<Int>?
    ) -> TSS2_RC

    /// Reads a structure from all of `bytes`; `nil` when they are not exactly one.
    static func structure<Structure>(_ initial: Structure, _ bytes: [UInt8], _ unmarshal: Unmarshal<Structure>)
        -> Structure?
    {
        var structure = initial
        var offset = 0
        guard unmarshal(bytes, bytes.count, &offset, &structure) == TSS2_RC_SUCCESS, offset == bytes.count else {
            return nil
        }
        return structure
    }

    /// Writes a structure as the TPM would.
    static func bytes<Structure>(_ structure: UnsafePointer<Structure>, _ marshal: Marshal<Structure>) -> [UInt8]? {
        var offset = 0
        var code: TSS2_RC = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            code = marshal(structure, buffer.baseAddress, buffer.count, &offset)
            count = code == TSS2_RC_SUCCESS ? offset : 0
        }
        return code == TSS2_RC_SUCCESS ? bytes : nil
    }

    /// The content of any `TPM2B`, whose C form is a 16-bit size and an array behind it.
    static func content<Structure>(_ structure: UnsafePointer<Structure>) -> [UInt8] {
        let raw = UnsafeRawPointer(structure)
        let count = min(Int(raw.load(as: UInt16.self)), MemoryLayout<Structure>.size - 2)
        return Array(UnsafeRawBufferPointer(start: raw + 2, count: count))
    }

    /// `bytes` behind a big-endian 16-bit size.
    static func sized(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(bytes.count >> 8 & 0xFF), UInt8(bytes.count & 0xFF)] + bytes
    }

    static func digest(_ bytes: [UInt8]) -> TPM2B_DIGEST? {
        structure(TPM2B_DIGEST(), sized(bytes), Tss2_MU_TPM2B_DIGEST_Unmarshal)
    }

    static func data(_ bytes: [UInt8]) -> TPM2B_DATA? {
        structure(TPM2B_DATA(), sized(bytes), Tss2_MU_TPM2B_DATA_Unmarshal)
    }
}
