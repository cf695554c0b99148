internal import CTSS2

extension TPMError {
    /// What a response code of tpm2-tss or the TPM means for the person who reads it (Part 2 §6.6; TSS 2.0 Overview, §3).
    init(responseCode: TSS2_RC, address: String, operation: String) {
        let layer = responseCode & CARNET_RC_LAYER_MASK
        let isTPM = layer == 0 || layer == CARNET_RESMGR_TPM_RC_LAYER || layer == CARNET_RESMGR_RC_LAYER
        let (code, advice): (Code, String?) =
            if isTPM {
                Self.meaning(ofTPM: responseCode & ~CARNET_RC_LAYER_MASK)
            } else if responseCode & ~CARNET_RC_LAYER_MASK == CARNET_BASE_RC_TRY_AGAIN {
                (.busy, "no answer; another program holds the TPM, or it hangs. Close the other program and try again")
            } else if layer == CARNET_TCTI_RC_LAYER {
                (.disconnected, "the connection to the TPM broke; check that it is still there and try again")
            } else {
                (.malformed, nil)
            }
        let decoded = Tss2_RC_Decode(responseCode).map { String(cString: $0) } ?? "unknown response code"
        self.init(
            code, address: address, operation: operation, responseCode: responseCode,
            advice.map { "\(decoded): \($0)" } ?? decoded)
    }

    private static func meaning(ofTPM code: UInt32) -> (Code, String?) {
        switch code {
        case CARNET_RC_INITIALIZE:
            (.notStarted, "the TPM was not started; firmware does that at boot, tpm2_startup -c on a software TPM")
        case CARNET_RC_FAILURE:
            (
                .failureMode,
                "the TPM is in failure mode; power the machine off and on. A software TPM needs an absolute state path"
            )
        case CARNET_RC_LOCKOUT:
            (
                .lockedOut,
                "the TPM is locked out after wrong passwords; wait, or let its owner run tpm2_dictionarylockout -c"
            )
        case CARNET_RC_OBJECT_MEMORY, CARNET_RC_SESSION_MEMORY, CARNET_RC_SESSION_HANDLES:
            (
                .full,
                "another program left keys or sessions behind; use /dev/tpmrm0, or run tpm2_flushcontext -t and -l"
            )
        default: (.refused, nil)
        }
    }
}
