internal import CTSS2
internal import CarnetEvidence
internal import TPM2

extension TPMDevice {
    /// How often a use is tried again when a PCR moved meanwhile: the kernel's IMA extends one with every new file.
    private static let attemptCount = 16

    /// Runs one command with the authorisation that a key takes: its empty password, or a session in which PolicyPCR holds now.
    func use(
        _ key: LoadedKey, _ command: (_ session: UInt32) throws(TPMDeviceError) -> Void
    ) throws(TPMDeviceError) {
        guard let state = key.state else { return try command(Self.password) }
        try usePolicy(of: "the key", state.selection) { () throws(TPMDeviceError) in
            try policySession()
        } _: {
            (session) throws(TPMDeviceError) in
            try command(session)
        }
    }

    /// Runs one command in a fresh policy session over the PCRs as they are, again when a PCR moved meanwhile.
    ///
    /// - Throws: ``TPMDeviceError/Code/stateChanged`` when the TPM says that the policy is another.
    func usePolicy(
        of what: String, _ selection: TPM.PCRSelectionList, starting start: () throws(TPMDeviceError) -> UInt32,
        _ command: (_ session: UInt32) throws(TPMDeviceError) -> Void
    ) throws(TPMDeviceError) {
        var last: TPMDeviceError?
        for _ in 0..<Self.attemptCount {
            let session = try start()
            defer { flush(session) }
            do {
                try policyPCR(selection, session)
                return try command(session)
            } catch  where error.isPCRChange {
                last = error
            } catch  where error.isPolicyFailure {
                throw .stateChanged(what, pcrs: selection.text, device: name, error)
            }
        }
        throw TPMDeviceError(
            .busy, device: name, responseCode: last?.responseCode ?? 0,
            "The PCRs of \(name) keep changing while \(what) is used. Try again in a moment.")
    }

    /// A policy session (SHA-256) without salt: it proves nothing to us, it asks the TPM.
    ///
    /// - Parameter bind: An object whose password the session's key is made of, so that it works with the right one only.
    func policySession(boundTo bind: UInt32 = TPMDevice.none) throws(TPMDeviceError) -> UInt32 {
        var symmetric = TPMT_SYM_DEF(), session: UInt32 = 0
        symmetric.algorithm = TPM2_ALG_NULL
        try call("TPM2_StartAuthSession") { context in
            Esys_StartAuthSession(
                context, Self.none, bind, Self.none, Self.none, Self.none, nil, TPM2_SE_POLICY, &symmetric,
                TPM2_ALG_SHA256, &session)
        }
        return session
    }

    /// TPM2_PolicyPCR over the values that the PCRs hold: whether they are the right ones shows when the policy is used.
    private func policyPCR(_ selection: TPM.PCRSelectionList, _ session: UInt32) throws(TPMDeviceError) {
        var pcrs = try native(selection), anyValue = TPM2B_DIGEST()
        try call("TPM2_PolicyPCR") { context in
            Esys_PolicyPCR(context, session, Self.none, Self.none, Self.none, &anyValue, &pcrs)
        }
    }

    func flush(_ handle: UInt32) {
        try? call("TPM2_FlushContext") { context in Esys_FlushContext(context, handle) }
    }
}
