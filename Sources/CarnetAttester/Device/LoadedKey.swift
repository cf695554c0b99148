internal import CTSS2
internal import Synchronization
public import TPM2

/// A key in one of the TPM's few slots. The slot is free again when the value is gone, or after ``close()``.
public final class LoadedKey: Sendable {
    /// The public area as the TPM gave it.
    public let publicArea: TPM.Public
    /// The state in which the TPM uses it; `nil` for a key that it uses in every state.
    public let state: KeyState?
    let handle: UInt32
    private let device: TPMDevice
    private let isClosed = Mutex(false)

    init(publicArea: TPM.Public, state: KeyState?, handle: UInt32, device: TPMDevice) {
        self.publicArea = publicArea
        self.state = state
        self.handle = handle
        self.device = device
    }

    deinit { close() }

    /// Frees the slot; the key must not be used afterwards.
    public func close() {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        guard !wasClosed else { return }
        try? device.call("TPM2_FlushContext") { context in Esys_FlushContext(context, handle) }
    }
}
