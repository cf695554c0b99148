public import Cryptography
internal import CTSS2
public import TPM2

extension TPMDevice {
    /// The certificate of the endorsement key of a template, if the maker stored one (TCG EK Credential Profile 2.6 §2.2.1.4).
    public func endorsementCertificate(_ template: TPM.EndorsementKeyTemplate) throws(TPMDeviceError) -> Certificate? {
        guard let bytes = try readNV(template.certificateIndex) else { return nil }
        return try? Certificate(der: bytes, padded: true)
    }

    /// The intermediate certificates that the maker stored (NV 0x01C00100 to 0x01C001FF: DER after DER).
    public func endorsementCertificateChain() throws(TPMDeviceError) -> [Certificate] {
        var certificates: [Certificate] = []
        for index in try nvIndices(from: 0x01C0_0100, through: 0x01C0_01FF) {
            guard var rest = try readNV(index)?[...] else { continue }
            while rest.count > 4, rest.first == 0x30, certificates.count < 16 {
                guard let length = Self.derLength(rest), length <= rest.count,
                    let certificate = try? Certificate(der: Array(rest.prefix(length)))
                else { break }
                certificates.append(certificate)
                rest = rest.dropFirst(length)
            }
        }
        return certificates
    }

    /// The content of an NV index that its own or the owner's empty password may read; `nil` when there is no such index.
    package func readNV(_ index: UInt32) throws(TPMDeviceError) -> [UInt8]? {
        guard try nvIndices(from: index, through: index) == [index] else { return nil }
        var handle: UInt32 = 0
        try call("TPM2_NV_ReadPublic") { context in
            Esys_TR_FromTPMPublic(context, index, Self.none, Self.none, Self.none, &handle)
        }
        defer { try? call("Esys_TR_Close") { context in Esys_TR_Close(context, &handle) } }
        var area: UnsafeMutablePointer<TPM2B_NV_PUBLIC>?
        try call("TPM2_NV_ReadPublic") { context in
            Esys_NV_ReadPublic(context, handle, Self.none, Self.none, Self.none, &area, nil)
        }
        let (size, isReadByItself) = try take(area) {
            (Int($0.pointee.nvPublic.dataSize), $0.pointee.nvPublic.attributes & TPMA_NV_AUTHREAD != 0)
        }
        let reader = isReadByItself ? handle : UInt32(ESYS_TR_RH_OWNER)
        var content: [UInt8] = []
        while content.count < size {
            var part: UnsafeMutablePointer<TPM2B_MAX_NV_BUFFER>?
            let count = UInt16(clamping: min(size - content.count, 512)), offset = UInt16(clamping: content.count)
            try call("TPM2_NV_Read") { context in
                Esys_NV_Read(
                    context, reader, handle, Self.password, Self.none, Self.none, count, offset, &part)
            }
            let bytes = try take(part) { Wire.content($0) }
            guard !bytes.isEmpty else { throw invalid("The answer to TPM2_NV_Read") }
            content += bytes
        }
        return content
    }

    /// The defined NV indices in a range (TPM2_GetCapability, TPM_CAP_HANDLES).
    private func nvIndices(from first: UInt32, through last: UInt32) throws(TPMDeviceError) -> [UInt32] {
        var more: UInt8 = 0
        var output: UnsafeMutablePointer<TPMS_CAPABILITY_DATA>?
        try call("TPM2_GetCapability") { context in
            Esys_GetCapability(
                context, Self.none, Self.none, Self.none, TPM2_CAP_HANDLES, first, 64, &more, &output)
        }
        let bytes = try take(output) { Wire.bytes($0, Tss2_MU_TPMS_CAPABILITY_DATA_Marshal) }
        // TPMS_CAPABILITY_DATA: capability, count, then 32-bit handles.
        return stride(from: 8, to: bytes.count - 3, by: 4).map { offset in
            bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
        }.filter { (first...last).contains($0) }
    }

    /// The length of the DER value that begins `bytes`, header included.
    private static func derLength(_ bytes: ArraySlice<UInt8>) -> Int? {
        let header = Array(bytes.prefix(5))
        guard header.count >= 4 else { return nil }
        switch header[1] {
        case 0..<0x80: return 2 + Int(header[1])
        case 0x81: return 3 + Int(header[2])
        case 0x82: return 4 + Int(header[2]) << 8 + Int(header[3])
        default: return nil
        }
    }

    /// The maker and the firmware (TPM2_GetCapability, TPM_CAP_TPM_PROPERTIES from TPM_PT_MANUFACTURER).
    public func identity() throws(TPMDeviceError) -> (manufacturer: String, firmware: String) {
        var more: UInt8 = 0
        var output: UnsafeMutablePointer<TPMS_CAPABILITY_DATA>?
        try call("TPM2_GetCapability") { context in
            Esys_GetCapability(
                context, Self.none, Self.none, Self.none, TPM2_CAP_TPM_PROPERTIES, 0x105, 8, &more, &output)
        }
        let bytes = try take(output) { Wire.bytes($0, Tss2_MU_TPMS_CAPABILITY_DATA_Marshal) }
        var properties: [UInt32: [UInt8]] = [:]
        for offset in stride(from: 8, to: bytes.count - 7, by: 8) {
            let tag = bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
            properties[tag] = Array(bytes[(offset + 4)..<(offset + 8)])
        }
        let maker = (properties[0x105] ?? []).filter { $0 > 0x20 && $0 < 0x7F }
        let version = [0x10B, 0x10C].compactMap { properties[$0] }.flatMap { $0 }
        let digits = version.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return (String(decoding: maker, as: UTF8.self), digits)
    }
}
