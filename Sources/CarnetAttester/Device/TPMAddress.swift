internal import Foundation

/// Where a TPM is: a TCTI string as tpm2-tss and tpm2-tools take it (TSS 2.0 TAB and Resource Manager, `conf` of `Tss2_TctiLdr`).
public struct TPMAddress: Sendable, Hashable, CustomStringConvertible {
    /// The string, as `device:/dev/tpmrm0`, `swtpm:path=/run/tpm.sock`, `swtpm:host=127.0.0.1,port=2321`, `tabrmd`.
    public let description: String

    /// The kernel's resource manager: many programs share the TPM, and what one leaves behind is flushed.
    public static let kernelResourceManager = TPMAddress("device:/dev/tpmrm0")

    /// Any TCTI string; a bare absolute path means a device.
    public init(_ string: String) { description = string.hasPrefix("/") ? "device:" + string : string }

    /// The part before the first colon.
    var scheme: Substring { description.prefix { $0 != ":" } }

    /// The file that must exist: the device, or a software TPM's socket.
    var path: String? {
        let rest = description.dropFirst(scheme.count + 1)
        switch scheme {
        case "device": return rest.isEmpty ? nil : String(rest)
        case "swtpm":
            let parameters = rest.split(separator: ",")
            return parameters.first { $0.hasPrefix("path=") }.map { String($0.dropFirst("path=".count)) }
        default: return nil
        }
    }

    /// Looks at the file before tpm2-tss does, which says only "IO error".
    func check() throws(TPMError) {
        guard !description.isEmpty else {
            throw TPMError(.invalidAddress, address: description, operation: "open", Self.advice)
        }
        guard let path else { return }
        let isDevice = scheme == "device"
        var status = stat()
        guard stat(path, &status) == 0 else {
            let advice =
                isDevice
                ? "there is no \(path). Enable the TPM in the firmware's settings (fTPM, PTT), load the kernel's driver, "
                    + "or name another with --tcti"
                : "there is no socket \(path). Start the software TPM, or name another with --tcti"
            throw errno == EACCES
                ? denied(path) : TPMError(.absent, address: description, operation: "open", advice)
        }
        guard access(path, R_OK | W_OK) == 0 else { throw denied(path) }
    }

    private func denied(_ path: String) -> TPMError {
        TPMError(
            .permissionDenied, address: description, operation: "open",
            "this user may not read and write \(path). Add the user to the group that owns it (tss on most systems), or run as root"
        )
    }

    static let advice =
        "the address is no TCTI string that can be loaded; use device:/dev/tpmrm0, swtpm:path=SOCKET, "
        + "swtpm:host=127.0.0.1,port=PORT or tabrmd:, and install the matching libtss2-tcti package"
}
