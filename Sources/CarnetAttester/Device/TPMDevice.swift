internal import CTSS2
internal import Dispatch
internal import Foundation
internal import Synchronization

/// A TPM 2.0, spoken to through tpm2-tss: a character device, a software TPM's socket, or anything else that a TCTI reaches.
///
/// Calls block and are made one at a time. Structures go in and out as bytes or as ``TPM2`` types.
public final class TPMDevice: @unchecked Sendable {
    /// The kernel's resource-managed device.
    public static let standardDevice = "device:/dev/tpmrm0"

    /// The TCTI string that was opened.
    public let name: String
    private var tcti: OpaquePointer?
    private var context: OpaquePointer?
    private let lock = NSRecursiveLock()

    static let none = UInt32(ESYS_TR_NONE)
    static let password = UInt32(ESYS_TR_PASSWORD)
    static let endorsement = UInt32(ESYS_TR_RH_ENDORSEMENT)

    /// Opens a device.
    ///
    /// - Parameters:
    ///   - name: A TCTI string: `device:/dev/tpmrm0`, `swtpm:path=/run/swtpm.sock`, `swtpm:host=127.0.0.1,port=2321`.
    ///   - patience: How many seconds the device has to answer.
    /// - Throws: ``TPMDeviceError`` when it is absent, not permitted, or does not answer in time.
    public init(_ name: String = TPMDevice.standardDevice, patience: Int = 10) throws(TPMDeviceError) {
        self.name = name
        setenv("TSS2_LOG", "all+NONE", 0)
        try Self.checkFile(name)
        // A software TPM that serves somebody else accepts the connection and then says nothing, so opening gets a deadline.
        let opening = Opening(name)
        guard opening.wait(seconds: patience) else {
            throw TPMDeviceError(
                .busy, device: name,
                "\(name) does not answer: another program is using it. Stop that program, or use a resource manager.")
        }
        guard let opened = opening.context else {
            throw TPMDeviceError(
                .unavailable, device: name, responseCode: opening.responseCode,
                "\(name) cannot be opened. Check the name (device:/dev/tpmrm0, swtpm:path=SOCKET), that the TPM is enabled, and that libtss2-tcti for it is installed."
            )
        }
        tcti = opening.tcti
        context = opened
    }

    deinit {
        Esys_Finalize(&context)
        Tss2_TctiLdr_Finalize(&tcti)
    }

    /// Runs one ESAPI call and turns its response code into an error.
    func call(_ name: String, _ body: (OpaquePointer?) -> TSS2_RC) throws(TPMDeviceError) {
        lock.lock()
        defer { lock.unlock() }
        let code = body(context)
        guard code == TSS2_RC_SUCCESS else { throw .answer(code, to: name, device: self.name) }
    }

    /// A result that tpm2-tss allocated, read and freed.
    func take<Structure, Result>(
        _ pointer: UnsafeMutablePointer<Structure>?, _ read: (UnsafePointer<Structure>) -> Result?
    ) throws(TPMDeviceError) -> Result {
        defer { Esys_Free(pointer) }
        guard let pointer, let result = read(pointer) else {
            throw TPMDeviceError(.refused, device: name, "\(name) gave an answer that cannot be read.")
        }
        return result
    }

    func invalid(_ what: String) -> TPMDeviceError {
        TPMDeviceError(.refused, device: name, "\(what) cannot be sent to \(name): it is no such structure.")
    }

    /// A device file can be looked at before tpm2-tss tries it and says only that it failed.
    private static func checkFile(_ name: String) throws(TPMDeviceError) {
        guard name.hasPrefix("device:") else { return }
        let path = String(name.dropFirst("device:".count))
        guard FileManager.default.fileExists(atPath: path) else {
            throw TPMDeviceError(
                .unavailable, device: name,
                "There is no TPM at \(path). Enable it in the firmware's setup, load the driver (modprobe tpm_tis tpm_crb), or name another with --tcti."
            )
        }
        guard access(path, R_OK | W_OK) == 0 else {
            throw TPMDeviceError(
                .unavailable, device: name,
                "\(path) may not be opened by this user. Run as root, or add the user to the group that owns it (often tss)."
            )
        }
        // A device without a resource manager has one user at a time, and says so only here.
        let descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 || errno != EBUSY else {
            throw TPMDeviceError(
                .busy, device: name,
                "\(path) is in use by another program. Stop that program, or use the resource manager: \(standardDevice)."
            )
        }
        if descriptor >= 0 { close(descriptor) }
    }
}

/// Opening a device on a thread of its own, so that one that never answers does not hold the program.
private final class Opening: @unchecked Sendable {
    private(set) var tcti: OpaquePointer?
    private(set) var context: OpaquePointer?
    private(set) var responseCode: UInt32 = 0
    private let done = DispatchSemaphore(value: 0)
    private let state = Mutex(State.opening)

    private enum State {
        case opening, finished, abandoned
    }

    init(_ name: String) {
        Thread.detachNewThread { [self] in
            responseCode = Tss2_TctiLdr_Initialize(name, &tcti)
            if responseCode == TSS2_RC_SUCCESS { responseCode = Esys_Initialize(&context, tcti, nil) }
            if responseCode == TSS2_RC_SUCCESS {
                var bytes: UnsafeMutablePointer<TPM2B_DIGEST>?
                let none = UInt32(ESYS_TR_NONE)
                responseCode = Esys_GetRandom(context, none, none, none, 1, &bytes)
                Esys_Free(bytes)
            }
            if responseCode != TSS2_RC_SUCCESS || !finish() { release() }
            done.signal()
        }
    }

    /// Whether it ended in time. A connection that comes about later is released by the thread that waited for it.
    func wait(seconds: Int) -> Bool {
        if done.wait(timeout: .now() + .seconds(seconds)) == .success { return true }
        return state.withLock { state in
            if state == .opening { state = .abandoned }
            return state == .finished
        }
    }

    /// Whether somebody still wants the connection.
    private func finish() -> Bool {
        state.withLock { state in
            if state == .opening { state = .finished }
            return state == .finished
        }
    }

    private func release() {
        Esys_Finalize(&context)
        Tss2_TctiLdr_Finalize(&tcti)
    }
}
