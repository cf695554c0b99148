internal import CTSS2

extension TPMConnection {
    /// Reads a whole NV index (`TPM2_NV_Read`) with an empty password, the index's own or the owner's; `nil` when there is none.
    ///
    /// - Parameter index: A handle as 0x01C00002.
    public func readNV(_ index: UInt32) throws(TPMError) -> [UInt8]? {
        guard try !indices(in: index...index).isEmpty else { return nil }
        let esys = try esys()
        var object = Self.none
        try check(
            "Esys_TR_FromTPMPublic", Esys_TR_FromTPMPublic(esys, index, Self.none, Self.none, Self.none, &object))
        defer { Esys_TR_Close(esys, &object) }
        let (count, reader) = try layout(of: object, esys)
        let step = min(max(try properties().maximumReadByteCount, 64), 1024)
        var bytes: [UInt8] = []
        while bytes.count < count {
            var data: UnsafeMutablePointer<TPM2B_MAX_NV_BUFFER>?
            defer { Esys_Free(data) }
            try check(
                "TPM2_NV_Read",
                Esys_NV_Read(
                    esys, reader, object, Self.password, Self.none, Self.none,
                    UInt16(clamping: min(step, count - bytes.count)), UInt16(clamping: bytes.count), &data))
            guard let data, case let part = content(ofSized: data), !part.isEmpty else {
                throw error(.malformed, "TPM2_NV_Read", "the TPM gave no bytes")
            }
            bytes += part
        }
        return bytes
    }

    /// How long an index is, and who may read it.
    private func layout(of object: UInt32, _ esys: OpaquePointer) throws(TPMError) -> (count: Int, reader: UInt32) {
        var area: UnsafeMutablePointer<TPM2B_NV_PUBLIC>?
        defer { Esys_Free(area) }
        try check(
            "TPM2_NV_ReadPublic",
            Esys_NV_ReadPublic(esys, object, Self.none, Self.none, Self.none, &area, nil))
        guard let area else { throw error(.malformed, "TPM2_NV_ReadPublic", "the answer is incomplete") }
        let isReadByItself = area.pointee.nvPublic.attributes & TPMA_NV_AUTHREAD != 0
        return (Int(area.pointee.nvPublic.dataSize), isReadByItself ? object : Self.ownerHierarchy)
    }
}
