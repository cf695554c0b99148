internal import CTSS2
public import TPM2

/// A key in one of the TPM's few slots. The slot is free again when the value is gone, or after ``close()``.
public final class LoadedKey: @unchecked Sendable {
    /// The public area as the TPM gave it.
    public let publicArea: TPM.Public
    let handle: UInt32
    private let device: TPMDevice
    private var isClosed = false

    init(publicArea: TPM.Public, handle: UInt32, device: TPMDevice) {
        self.publicArea = publicArea
        self.handle = handle
        self.device = device
    }

    deinit { close() }

    /// Frees the slot; the key must not be used afterwards.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        try? device.call("TPM2_FlushContext") { context in Esys_FlushContext(context, handle) }
    }
}
