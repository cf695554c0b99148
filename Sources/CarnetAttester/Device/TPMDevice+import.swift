internal import CTSS2
internal import Cryptography
public import TPM2

extension TPMDevice {
    /// Imports a sealed secret under a storage key, loads it and unseals it (TPM2_Import, TPM2_Load, TPM2_PolicyPCR, TPM2_Unseal).
    ///
    /// The secret comes back encrypted, in a session that is salted to the storage key, so that who listens between processor and TPM
    /// learns nothing.
    ///
    /// - Parameters:
    ///   - selection: The PCRs that the secret's policy is over.
    ///   - authValue: The password that the object must have; `nil` asks for none. The policy session is bound to it, so that the TPM
    ///     itself compares.
    /// - Throws: ``TPMDeviceError/Code/stateChanged`` when the PCRs hold other values, ``TPMDeviceError/Code/notForThisTPM`` when the blob is
    ///   for another storage key, was changed, or has another password.
    public func unseal(
        _ blob: TPM.ImportBlob, under parent: LoadedKey, selection: TPM.PCRSelectionList, authValue: [UInt8]? = nil
    ) throws(TPMDeviceError) -> [UInt8] {
        let object = try load(blob, under: parent)
        defer { flush(object) }
        if let authValue {
            guard var auth = Wire.digest(TPM.ImportBlob.significant(authValue)) else { throw invalid("The password") }
            try call("Esys_TR_SetAuth") { context in Esys_TR_SetAuth(context, object, &auth) }
        }
        // Two sessions: one that authorises would encrypt with the password besides, which is not asked for where none was given.
        let encryption = try encryptingSession(parent, .answer)
        defer { flush(encryption) }
        var output: UnsafeMutablePointer<TPM2B_SENSITIVE_DATA>?
        try usePolicy(of: "the secret", selection) { () throws(TPMDeviceError) in
            try policySession(boundTo: authValue == nil ? Self.none : object)
        } _: { (session) throws(TPMDeviceError) in
            try call("TPM2_Unseal") { context in
                Esys_Unseal(context, object, session, encryption, Self.none, &output)
            }
        }
        return try take(output) { Wire.content($0) }
    }

    private func load(_ blob: TPM.ImportBlob, under parent: LoadedKey) throws(TPMDeviceError) -> UInt32 {
        // tpm2-tss passes over the size of a TPM2B_PUBLIC; here a blob has one spelling.
        guard
            [blob.publicArea, blob.duplicate, blob.encryptedSeed].allSatisfy({
                Wire.sized(Array($0.dropFirst(2))) == $0
            }),
            var area = Wire.structure(TPM2B_PUBLIC(), blob.publicArea, Tss2_MU_TPM2B_PUBLIC_Unmarshal),
            var duplicate = Wire.structure(TPM2B_PRIVATE(), blob.duplicate, Tss2_MU_TPM2B_PRIVATE_Unmarshal),
            var seed = Wire.structure(
                TPM2B_ENCRYPTED_SECRET(), blob.encryptedSeed, Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal)
        else { throw invalid("The import blob") }
        var inner = TPM2B_DATA(), symmetric = TPMT_SYM_DEF_OBJECT()
        symmetric.algorithm = TPM2_ALG_NULL
        var imported: UnsafeMutablePointer<TPM2B_PRIVATE>?
        try call("TPM2_Import") { context in
            Esys_Import(
                context, parent.handle, Self.password, Self.none, Self.none, &inner, &area, &duplicate, &seed,
                &symmetric,
                &imported)
        }
        defer { Esys_Free(imported) }
        var object: UInt32 = 0
        try call("TPM2_Load") { context in
            Esys_Load(context, parent.handle, Self.password, Self.none, Self.none, imported, &area, &object)
        }
        return object
    }
}
