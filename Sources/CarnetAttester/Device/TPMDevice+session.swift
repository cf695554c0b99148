internal import CTSS2

extension TPMDevice {
    /// What a session encrypts on the way between processor and TPM.
    enum EncryptedParameter {
        /// The first parameter of the command: what is sealed.
        case command
        /// The first parameter of the answer: what is unsealed.
        case answer
    }

    /// A session whose key is agreed with a storage key, and which encrypts one parameter (AES-128, CFB), so that who listens on the bus
    /// learns nothing (Part 1, "Session-based encryption").
    func encryptingSession(_ key: LoadedKey, _ parameter: EncryptedParameter) throws(TPMDeviceError) -> UInt32 {
        var symmetric = TPMT_SYM_DEF(), session: UInt32 = 0
        symmetric.algorithm = TPM2_ALG_AES
        symmetric.keyBits.aes = 128
        symmetric.mode.aes = TPM2_ALG_CFB
        try call("TPM2_StartAuthSession") { context in
            Esys_StartAuthSession(
                context, key.handle, Self.none, Self.none, Self.none, Self.none, nil, TPM2_SE_HMAC, &symmetric,
                TPM2_ALG_SHA256, &session)
        }
        let encrypts = parameter == .command ? TPMA_SESSION_DECRYPT : TPMA_SESSION_ENCRYPT
        let attributes = UInt8(encrypts | TPMA_SESSION_CONTINUESESSION)
        do {
            try call("Esys_TRSess_SetAttributes") { context in
                Esys_TRSess_SetAttributes(context, session, attributes, 0xFF)
            }
        } catch {
            flush(session)
            throw error
        }
        return session
    }

    /// A policy session (SHA-256) whose key is agreed with a storage key: the code that proves a PIN in it tells a listener nothing to
    /// try guesses on.
    func saltedPolicySession(_ key: LoadedKey) throws(TPMDeviceError) -> UInt32 {
        var symmetric = TPMT_SYM_DEF(), session: UInt32 = 0
        symmetric.algorithm = TPM2_ALG_NULL
        try call("TPM2_StartAuthSession") { context in
            Esys_StartAuthSession(
                context, key.handle, Self.none, Self.none, Self.none, Self.none, nil, TPM2_SE_POLICY, &symmetric,
                TPM2_ALG_SHA256, &session)
        }
        return session
    }
}
