/// A TPM 2.0 that one process talks to, one command at a time, on a thread of its own.
///
/// A hardware TPM takes milliseconds to seconds for a command; ``perform(_:)`` runs off Swift's cooperative threads.
public actor TPMDevice {
    private let executor = SerialQueueExecutor(label: "carnet.tpm")
    private var connection: TPMConnection?
    /// Where the TPM is.
    public nonisolated let address: TPMAddress

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// A TPM that is opened at first use.
    public init(_ address: TPMAddress = .kernelResourceManager) { self.address = address }

    /// Opens the TPM if need be and runs `body` with it. What `body` loaded is flushed when it returns.
    ///
    /// - Throws: ``TPMError`` that names the device and what to do, or what `body` throws.
    public func perform<Result: Sendable>(_ body: @Sendable (TPMConnection) throws -> Result) throws -> Result {
        let connection = try connection ?? TPMConnection(address)
        self.connection = connection
        do {
            return try body(connection)
        } catch let error as TPMError where error.isUnavailability {
            // A broken or silent connection is not used again: an answer that comes late would be taken for the next one's.
            self.connection = nil
            throw error
        }
    }

    /// Lets go of the TPM, so that another program can use it. The next ``perform(_:)`` opens it again.
    public func close() { connection = nil }
}
