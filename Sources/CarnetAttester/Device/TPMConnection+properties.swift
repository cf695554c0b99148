internal import CTSS2

extension TPMConnection {
    /// Asks the TPM who it is (`TPM2_GetCapability`).
    public func properties() throws(TPMError) -> TPMProperties {
        let values = try fixedProperties()
        let model = (CARNET_PT_VENDOR_STRING_1...CARNET_PT_VENDOR_STRING_4)
            .map { Self.text(values[$0] ?? 0) }.joined()
        let first = UInt64(values[CARNET_PT_FIRMWARE_VERSION_1] ?? 0)
        let second = UInt64(values[CARNET_PT_FIRMWARE_VERSION_2] ?? 0)
        return TPMProperties(
            manufacturer: Self.text(values[CARNET_PT_MANUFACTURER] ?? 0), model: model,
            firmwareVersion: first << 32 | second, specificationRevision: values[CARNET_PT_REVISION] ?? 0,
            maximumReadByteCount: Int(values[CARNET_PT_NV_BUFFER_MAX] ?? 512))
    }

    /// The NV indices that exist in a range, ascending.
    func indices(in range: ClosedRange<UInt32>) throws(TPMError) -> [UInt32] {
        var found: [UInt32] = []
        var next = range.lowerBound
        while true {
            let (data, more) = try capability(TPM2_CAP_HANDLES, next, 64)
            defer { Esys_Free(data) }
            let handles = withUnsafePointer(to: &data.pointee.data.handles) { list in
                (0..<min(Int(list.pointee.count), 64)).compactMap { offset in
                    carnet_handles(list).map { $0[offset] }
                }
            }
            found += handles.filter(range.contains)
            guard more, let last = handles.last, last < range.upperBound else { return found }
            next = last + 1
        }
    }

    private func fixedProperties() throws(TPMError) -> [UInt32: UInt32] {
        let (data, _) = try capability(TPM2_CAP_TPM_PROPERTIES, CARNET_PT_FIXED, 64)
        defer { Esys_Free(data) }
        return withUnsafePointer(to: &data.pointee.data.tpmProperties) { list in
            var values: [UInt32: UInt32] = [:]
            guard let first = carnet_properties(list) else { return values }
            for offset in 0..<min(Int(list.pointee.count), 64) { values[first[offset].property] = first[offset].value }
            return values
        }
    }

    private func capability(
        _ capability: TPM2_CAP, _ first: UInt32, _ count: UInt32
    ) throws(TPMError) -> (data: UnsafeMutablePointer<TPMS_CAPABILITY_DATA>, more: Bool) {
        var more: TPMI_YES_NO = 0
        var data: UnsafeMutablePointer<TPMS_CAPABILITY_DATA>?
        try check(
            "TPM2_GetCapability",
            Esys_GetCapability(
                try esys(), Self.none, Self.none, Self.none, capability, first, count, &more, &data))
        guard let data else { throw error(.malformed, "TPM2_GetCapability", "the answer is incomplete") }
        return (data, more == 1)
    }

    /// Four bytes of text, as makers write them into a 32-bit property: printable ASCII, blanks and zeros at the end cut off.
    private static func text(_ value: UInt32) -> String {
        let bytes = [24, 16, 8, 0].map { UInt8(value >> UInt32($0) & 0xFF) }
        let printable = bytes.filter { (0x20..<0x7F).contains($0) }
        return String(decoding: printable.reversed().drop { $0 == 0x20 }.reversed(), as: UTF8.self)
    }
}
