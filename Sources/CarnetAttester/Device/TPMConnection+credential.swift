internal import CTSS2
public import TPM2

extension TPMConnection {
    /// Opens a credential that was made for `key`'s name and for this endorsement key (`TPM2_ActivateCredential`).
    ///
    /// The endorsement key is used under PolicyA, so its template must be of the low range (L-1, L-2).
    ///
    /// - Throws: ``TPMError/Code/refused`` when the credential is for another key, another TPM, or was changed.
    public func activate(
        _ credential: TPM.Credential, for key: LoadedKey, endorsementKey: LoadedKey
    ) throws -> [UInt8] {
        var blob = TPM2B_ID_OBJECT()
        try fill(&blob, from: credential.idObject, "TPM2B_ID_OBJECT", Tss2_MU_TPM2B_ID_OBJECT_Unmarshal)
        var secret = TPM2B_ENCRYPTED_SECRET()
        try fill(
            &secret, from: credential.encryptedSecret, "TPM2B_ENCRYPTED_SECRET",
            Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal)
        let hash = TPM.AlgorithmID(endorsementKey.publicArea.nameAlgorithm)
        return try withEndorsementSession(hash) { session in
            var opened: UnsafeMutablePointer<TPM2B_DIGEST>?
            defer { Esys_Free(opened) }
            try check(
                "TPM2_ActivateCredential",
                Esys_ActivateCredential(
                    try esys(), key.handle, endorsementKey.handle, Self.password, session, Self.none, &blob, &secret,
                    &opened))
            guard let opened else { throw error(.malformed, "TPM2_ActivateCredential", "the answer has no secret") }
            return content(ofSized: opened)
        }
    }
}
