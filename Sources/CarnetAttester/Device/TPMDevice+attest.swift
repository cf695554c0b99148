internal import Cryptography
internal import CTSS2
public import TPM2

extension TPMDevice {
    /// The values of PCRs, by bank and index (TPM2_PCR_Read, in as many calls as it takes).
    public func readPCRs(_ selection: TPM.PCRSelectionList) throws(TPMDeviceError) -> [TPM.AlgorithmID: [Int: [UInt8]]]
    {
        var values: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
        for bank in selection.selections {
            var missing = bank.indices
            while !missing.isEmpty {
                let part = TPM.PCRSelectionList(bank: bank.bank, indices: missing.prefix(8))
                let read = try readOnce(part).filter { missing.contains($0.key) }
                guard !read.isEmpty else {
                    throw TPMDeviceError(
                        .refused, device: name,
                        "\(name) has no PCR bank \(bank.bank). Activate it in the firmware's setup, or use a policy with another bank."
                    )
                }
                values[bank.bank, default: [:]].merge(read) { $1 }
                missing.removeAll { read[$0] != nil }
            }
        }
        return values
    }

    private func readOnce(_ selection: TPM.PCRSelectionList) throws(TPMDeviceError) -> [Int: [UInt8]] {
        var wanted = try native(selection)
        var counter: UInt32 = 0
        var given: UnsafeMutablePointer<TPML_PCR_SELECTION>?
        var digests: UnsafeMutablePointer<TPML_DIGEST>?
        try call("TPM2_PCR_Read") { context in
            Esys_PCR_Read(context, Self.none, Self.none, Self.none, &wanted, &counter, &given, &digests)
        }
        let selected = try take(given) { Wire.bytes($0, Tss2_MU_TPML_PCR_SELECTION_Marshal) }
        let bytes = try take(digests) { Wire.bytes($0, Tss2_MU_TPML_DIGEST_Marshal) }
        guard let indices = try? TPM.PCRSelectionList(parsing: selected).selections.flatMap(\.indices) else {
            throw invalid("The answer to TPM2_PCR_Read")
        }
        // TPML_DIGEST: a 32-bit count, then TPM2B after TPM2B.
        var rest = bytes.dropFirst(4)
        var values: [Int: [UInt8]] = [:]
        for index in indices {
            guard let high = rest.popFirst(), let low = rest.popFirst() else { break }
            let count = Int(high) << 8 | Int(low)
            values[index] = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return values
    }

    /// TPM2_Quote: `TPMS_ATTEST` and `TPMT_SIGNATURE`.
    public func quote(
        _ selection: TPM.PCRSelectionList, by key: LoadedKey, qualifyingData: [UInt8]
    ) throws(TPMDeviceError) -> (attest: [UInt8], signature: [UInt8]) {
        guard var data = Wire.data(qualifyingData) else { throw invalid("The qualifying data") }
        var wanted = try native(selection), scheme = Self.keyScheme
        var attest: UnsafeMutablePointer<TPM2B_ATTEST>?
        var signature: UnsafeMutablePointer<TPMT_SIGNATURE>?
        try call("TPM2_Quote") { context in
            Esys_Quote(
                context, key.handle, Self.password, Self.none, Self.none, &data, &scheme, &wanted, &attest, &signature)
        }
        return try attestation(attest, signature)
    }

    /// TPM2_Certify: `TPMS_ATTEST` and `TPMT_SIGNATURE` about `object`.
    public func certify(
        _ object: LoadedKey, by key: LoadedKey, qualifyingData: [UInt8]
    ) throws(TPMDeviceError) -> (attest: [UInt8], signature: [UInt8]) {
        guard var data = Wire.data(qualifyingData) else { throw invalid("The qualifying data") }
        var scheme = Self.keyScheme
        var attest: UnsafeMutablePointer<TPM2B_ATTEST>?
        var signature: UnsafeMutablePointer<TPMT_SIGNATURE>?
        try call("TPM2_Certify") { context in
            Esys_Certify(
                context, object.handle, key.handle, Self.password, Self.password, Self.none, &data, &scheme, &attest,
                &signature)
        }
        return try attestation(attest, signature)
    }

    /// The key's own scheme.
    static var keyScheme: TPMT_SIG_SCHEME {
        var scheme = TPMT_SIG_SCHEME()
        scheme.scheme = TPM2_ALG_NULL
        return scheme
    }

    private func attestation(
        _ attest: UnsafeMutablePointer<TPM2B_ATTEST>?, _ signature: UnsafeMutablePointer<TPMT_SIGNATURE>?
    ) throws(TPMDeviceError) -> (attest: [UInt8], signature: [UInt8]) {
        let attested = try take(attest) { Wire.content($0) }
        return (attested, try take(signature) { Wire.bytes($0, Tss2_MU_TPMT_SIGNATURE_Marshal) })
    }

    func native(_ selection: TPM.PCRSelectionList) throws(TPMDeviceError) -> TPML_PCR_SELECTION {
        guard
            let native = Wire.structure(
                TPML_PCR_SELECTION(), selection.bytes, Tss2_MU_TPML_PCR_SELECTION_Unmarshal)
        else { throw invalid("The PCR selection") }
        return native
    }
}
