internal import CTSS2
public import TPM2

extension TPMConnection {
    /// Quotes PCRs with a restricted key (`TPM2_Quote`), by the key's own scheme.
    ///
    /// - Parameters:
    ///   - selection: Which PCRs, in this order of banks.
    ///   - qualifyingData: At most 64 bytes; 32 work with every TPM.
    public func quote(
        _ selection: TPM.PCRSelectionList, by key: LoadedKey, qualifyingData: [UInt8]
    ) throws(TPMError) -> Attestation {
        var data = try self.qualifyingData(qualifyingData)
        var scheme = Self.keysOwnScheme()
        var list = TPML_PCR_SELECTION()
        try fill(&list, from: selection.bytes, "TPML_PCR_SELECTION", Tss2_MU_TPML_PCR_SELECTION_Unmarshal)
        var attest: UnsafeMutablePointer<TPM2B_ATTEST>?
        var signature: UnsafeMutablePointer<TPMT_SIGNATURE>?
        defer {
            Esys_Free(attest)
            Esys_Free(signature)
        }
        try check(
            "TPM2_Quote",
            Esys_Quote(
                try esys(), key.handle, Self.password, Self.none, Self.none, &data, &scheme, &list, &attest, &signature)
        )
        return try attestation(attest, signature, "TPM2_Quote")
    }

    /// States with a restricted key that another key is in this TPM (`TPM2_Certify`).
    public func certify(
        _ subject: LoadedKey, by key: LoadedKey, qualifyingData: [UInt8]
    ) throws(TPMError) -> Attestation {
        var data = try self.qualifyingData(qualifyingData)
        var scheme = Self.keysOwnScheme()
        var attest: UnsafeMutablePointer<TPM2B_ATTEST>?
        var signature: UnsafeMutablePointer<TPMT_SIGNATURE>?
        defer {
            Esys_Free(attest)
            Esys_Free(signature)
        }
        try check(
            "TPM2_Certify",
            Esys_Certify(
                try esys(), subject.handle, key.handle, Self.password, Self.password, Self.none, &data, &scheme,
                &attest, &signature))
        return try attestation(attest, signature, "TPM2_Certify")
    }

    private func attestation(
        _ attest: UnsafeMutablePointer<TPM2B_ATTEST>?, _ signature: UnsafeMutablePointer<TPMT_SIGNATURE>?,
        _ operation: String
    ) throws(TPMError) -> Attestation {
        guard let attest, let signature else { throw error(.malformed, operation, "the answer is incomplete") }
        return Attestation(
            attest: content(ofSized: attest),
            signature: try bytes(of: signature, "TPMT_SIGNATURE", Tss2_MU_TPMT_SIGNATURE_Marshal))
    }

    static func keysOwnScheme() -> TPMT_SIG_SCHEME {
        var scheme = TPMT_SIG_SCHEME()
        scheme.scheme = TPM2_ALG_NULL
        return scheme
    }
}
