internal import CTSS2

/// Why the TPM did not do what it was asked: which device, what it said, and what to do.
public struct TPMDeviceError: Error, CustomStringConvertible, Sendable {
    /// What a caller may branch on.
    public enum Code: Sendable, Hashable {
        /// There is no such device, or nobody answers.
        case unavailable
        /// Somebody else uses it.
        case busy
        /// The TPM answered with an error.
        case refused
        /// A credential, a key or a secret is not for this TPM, or not in this state.
        case notForThisTPM
        /// The key or the secret is bound to PCR values that the TPM no longer holds.
        case stateChanged
    }

    public let code: Code
    /// The TCTI string, as `device:/dev/tpmrm0`.
    public let device: String
    /// The TPM 2.0 or TSS response code; 0 when none came.
    public let responseCode: UInt32
    /// What failed, and what to do.
    public let description: String

    init(_ code: Code, device: String, responseCode: UInt32 = 0, _ description: String) {
        self.code = code
        self.device = device
        self.responseCode = responseCode
        self.description = description
    }

    /// The TPM refused because the PCRs hold other values than they did.
    static func stateChanged(_ what: String, pcrs: String, device: String, _ refusal: TPMDeviceError) -> Self {
        Self(
            .stateChanged, device: device, responseCode: refusal.responseCode,
            "The machine is no longer in the state to which \(what) is bound: the TPM at \(device) refuses, since a PCR of \(pcrs) changed. If the change was meant, attest again with `carnet-agent attest`; if not, find out what was loaded, and reboot."
        )
    }

    /// Whether the TPM says that a policy does not hold (TPM_RC_POLICY_FAIL, for whichever session).
    var isPolicyFailure: Bool { responseCode & 0xFFFF_00BF == 0x9D }
    /// Whether a PCR moved between the policy and its use (TPM_RC_PCR_CHANGED): any PCR, so also one that the policy does not cover.
    var isPCRChange: Bool { responseCode == 0x128 }

    /// Whether an authorisation value was wrong: one that is counted (TPM_RC_AUTH_FAIL), or another (TPM_RC_BAD_AUTH).
    var isWrongAuthorisation: Bool { [0x8E, 0xA2].contains(responseCode & 0xFFFF_00BF) }
    /// Whether a policy session has come to another digest than a command of the policy takes (TPM_RC_VALUE).
    var isPolicyMismatch: Bool { responseCode & 0xFFFF_00BF == 0x84 }

    /// The error of one ESAPI call.
    static func answer(_ responseCode: UInt32, to call: String, device: String) -> Self {
        let text = Tss2_RC_Decode(responseCode).map { String(cString: $0) } ?? "0x" + String(responseCode, radix: 16)
        // Format-one codes carry the number of the parameter or handle in bits 8 to 11 (Part 2 §6.6.2); the error is in the others.
        let error = responseCode & 0x80 != 0 ? responseCode & 0xBF : responseCode & 0x9FF
        let next: String
        var code = Code.refused
        switch error {
        // The layer of the TCTI (TSS 2.0 Overview §3.3): the connection, not the TPM, gave up.
        case _ where responseCode & 0xFF_0000 == 0xA_0000:
            next = "The connection to the TPM broke: check that it is still there, then try again"
            code = .unavailable
        case 0x100:
            next = "The TPM was not started: firmware does that, and tpm2_startup -c for a software TPM"
            code = .unavailable
        case 0x101:
            next = "The TPM is in failure mode: power the machine off and on"
            code = .unavailable
        case 0x120:
            next = "The command or its hierarchy is disabled: enable the TPM's hierarchies in the firmware's setup"
        case 0x921:
            next =
                "The TPM is locked out after too many wrong PINs: wait until it has forgotten one (tpm2_getcap properties-variable says how long), or reset the count with tpm2_dictionarylockout -c"
            code = .busy
        case 0x922, 0x923, 0x927, 0x928:
            next = "The TPM is busy: wait, then try again"
            code = .busy
        case 0x902, 0x903, 0x904:
            next =
                "The TPM has no free slot: use the resource manager (device:/dev/tpmrm0), or flush with tpm2_flushcontext -t"
            code = .busy
        case 0x9D, 0x9F, 0xA2, 0x8E, 0x98E, 0x99D:
            next = "The object is not for this TPM, or an authorisation value is set: check the hierarchy's password"
            code = .notForThisTPM
        default: next = "See the response code in the TPM 2.0 Library, Part 2 §6.6"
        }
        return Self(code, device: device, responseCode: responseCode, "\(call) on \(device) failed: \(text). \(next).")
    }
}
