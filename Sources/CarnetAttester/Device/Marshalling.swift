internal import CTSS2

/// Between bytes as the TPM 2.0 Library marshals them and the structures of tpm2-tss. Its own functions check every length.
extension TPMConnection {
    typealias Marshal<Structure> = (
        UnsafePointer<Structure>?, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<Int>?
    ) -> TSS2_RC
    typealias Unmarshal<Structure> = (
        UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<Int>?, UnsafeMutablePointer<Structure>?
    ) -> TSS2_RC

    /// A structure as bytes.
    func bytes<Structure>(
        of structure: UnsafePointer<Structure>, _ operation: String, _ marshal: Marshal<Structure>
    ) throws(TPMError) -> [UInt8] {
        var offset = 0
        var code: TSS2_RC = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            code = marshal(structure, buffer.baseAddress, buffer.count, &offset)
            count = code == TSS2_RC_SUCCESS ? offset : 0
        }
        try check(operation, code)
        return bytes
    }

    /// Fills a structure from bytes, all of which must be used.
    func fill<Structure>(
        _ structure: inout Structure, from bytes: [UInt8], _ what: String, _ unmarshal: Unmarshal<Structure>
    ) throws(TPMError) {
        var offset = 0
        let code = unmarshal(bytes, bytes.count, &offset, &structure)
        guard code == TSS2_RC_SUCCESS, offset == bytes.count else {
            throw error(.malformed, what, "the \(bytes.count) bytes given are no such structure")
        }
    }

    /// The content of a TPM2B, which tpm2-tss wrote: a 16-bit size in the machine's byte order, and the bytes.
    func content(ofSized structure: UnsafeRawPointer) -> [UInt8] {
        let count = structure.loadUnaligned(as: UInt16.self)
        return Array(UnsafeRawBufferPointer(start: structure + 2, count: Int(count)))
    }

    /// The bytes of a TPM2B with its size, big-endian, as a structure's unmarshaller wants it.
    static func sized(_ content: [UInt8]) -> [UInt8] {
        let count = UInt16(clamping: content.count)
        return [UInt8(count >> 8), UInt8(count & 0xFF)] + content.prefix(Int(count))
    }

    /// A `TPM2B_DATA` with the caller's qualifying data.
    func qualifyingData(_ bytes: [UInt8]) throws(TPMError) -> TPM2B_DATA {
        var data = TPM2B_DATA()
        try fill(&data, from: Self.sized(bytes), "qualifying data", Tss2_MU_TPM2B_DATA_Unmarshal)
        return data
    }

    /// A `TPM2B_DIGEST`.
    func digest(_ bytes: [UInt8]) throws(TPMError) -> TPM2B_DIGEST {
        var digest = TPM2B_DIGEST()
        try fill(&digest, from: Self.sized(bytes), "digest", Tss2_MU_TPM2B_DIGEST_Unmarshal)
        return digest
    }
}
