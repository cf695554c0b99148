/// A TPM that several parts of a program use: opened for the first that needs it, closed after the last, so that a device without a resource
/// manager is free between uses, and one that went away is found again.
public actor SharedTPM {
    /// The TCTI string.
    public nonisolated let name: String
    private var device: TPMDevice?
    private var userCount = 0

    /// The TPM of this name, not yet opened.
    public init(_ name: String) { self.name = name }

    /// Calls the TPM; one at a time.
    ///
    /// - Throws: ``TPMDeviceError`` when it cannot be opened, and what `body` throws.
    public func use<Value: Sendable>(_ body: @Sendable (TPMDevice) throws -> Value) throws -> Value {
        let device = try take()
        defer { giveBack() }
        return try body(device)
    }

    /// Holds the TPM for something that waits for others in between. Calls of ``use(_:)`` come in between as well.
    public nonisolated func hold<Value: Sendable>(
        _ body: @Sendable (TPMDevice) async throws -> Value
    ) async throws -> Value {
        let device = try await take()
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(device))
        } catch {
            result = .failure(error)
        }
        await giveBack()
        return try result.get()
    }

    private func take() throws(TPMDeviceError) -> TPMDevice {
        let opened: TPMDevice
        if let device { opened = device } else { opened = try TPMDevice(name) }
        device = opened
        userCount += 1
        return opened
    }

    private func giveBack() {
        userCount -= 1
        if userCount == 0 { device = nil }
    }
}
