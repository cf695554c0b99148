internal import CTSS2
internal import Foundation

/// An open connection to a TPM (an ESAPI context over a TCTI). Methods block, and fail with ``TPMError``.
///
/// Everything in and out is bytes as the TPM 2.0 Library marshals them, or a type of `TPM2`. Get one from ``TPMDevice/perform(_:)``.
public final class TPMConnection {
    /// Where the TPM is.
    public let address: TPMAddress
    private var tcti: OpaquePointer?
    private var context: OpaquePointer?

    /// How long the first answer may take, in milliseconds: longer means that somebody else is being served.
    private static let patience: Int32 = 5_000

    /// Opens the TPM and waits for a first answer.
    public init(_ address: TPMAddress) throws(TPMError) {
        self.address = address
        Self.silenceLibrary()
        try address.check()
        let code = Tss2_TctiLdr_Initialize(address.description, &tcti)
        guard code == TSS2_RC_SUCCESS else { throw Self.failureToOpen(address, code) }
        try check("Esys_Initialize", Esys_Initialize(&context, tcti, nil))
        try greet()
    }

    deinit {
        if context != nil { Esys_Finalize(&context) }
        if tcti != nil { Tss2_TctiLdr_Finalize(&tcti) }
    }

    /// The ESAPI context.
    func esys() throws(TPMError) -> OpaquePointer {
        guard let context else {
            throw TPMError(.disconnected, address: address.description, operation: "open", "the connection is closed")
        }
        return context
    }

    /// Turns a response code that is not success into an error.
    func check(_ operation: String, _ code: TSS2_RC) throws(TPMError) {
        guard code == TSS2_RC_SUCCESS else {
            throw TPMError(responseCode: code, address: address.description, operation: operation)
        }
    }

    /// An error of Carnet's own about this TPM.
    func error(_ code: TPMError.Code, _ operation: String, _ reason: String) -> TPMError {
        TPMError(code, address: address.description, operation: operation, reason)
    }

    /// Asks for a byte, with patience: a software TPM serves one connection and lets a second one wait for ever.
    private func greet() throws(TPMError) {
        let esys = try esys()
        try check("TPM2_GetRandom", Esys_GetRandom_Async(esys, Self.none, Self.none, Self.none, 1))
        try check("Esys_SetTimeout", Esys_SetTimeout(esys, Self.patience))
        var answer: UnsafeMutablePointer<TPM2B_DIGEST>?
        let code = Esys_GetRandom_Finish(esys, &answer)
        Esys_Free(answer)
        if code & ~CARNET_RC_LAYER_MASK == CARNET_BASE_RC_TRY_AGAIN {
            throw TPMError(
                .busy, address: address.description, operation: "open", responseCode: code,
                "no answer within \(Self.patience / 1000) s. A software TPM serves one program at a time: is it connected already?"
            )
        }
        try check("TPM2_GetRandom", code)
        try check("Esys_SetTimeout", Esys_SetTimeout(esys, -1))
    }

    private static func failureToOpen(_ address: TPMAddress, _ code: TSS2_RC) -> TPMError {
        if address.scheme == "device", let path = address.path {
            let descriptor = open(path, O_RDWR | O_CLOEXEC)
            let number = errno
            if descriptor >= 0 { close(descriptor) }
            if descriptor < 0, number == EBUSY {
                return TPMError(
                    .busy, address: address.description, operation: "open", responseCode: code,
                    "another program holds \(path). Use the resource manager /dev/tpmrm0, which many programs can share")
            }
            return TPMError(
                .absent, address: address.description, operation: "open", responseCode: code,
                "\(path) is no TPM that answers")
        }
        if address.scheme == "swtpm" || address.scheme == "mssim" {
            return TPMError(
                .absent, address: address.description, operation: "open", responseCode: code,
                "no software TPM accepts a connection there. Is it running, with its control channel at the socket's path and .ctrl, "
                    + "or at the next port?")
        }
        return TPMError(
            .invalidAddress, address: address.description, operation: "open", responseCode: code, TPMAddress.advice)
    }

    /// tpm2-tss writes warnings to standard error unless told otherwise before its first call; the errors say it all.
    private static func silenceLibrary() { _ = silenced }
    private static let silenced: Bool = {
        setenv("TSS2_LOG", "all+NONE", 0)
        return true
    }()

    static let none = UInt32(ESYS_TR_NONE)
    static let password = UInt32(ESYS_TR_PASSWORD)
    static let endorsementHierarchy = UInt32(ESYS_TR_RH_ENDORSEMENT)
    static let ownerHierarchy = UInt32(ESYS_TR_RH_OWNER)
}
