extension DiskUnlocking {
    /// The PCR that says which volume was opened, as systemd has it.
    public static let measuredPCR = 15

    /// Measures which volume is opened: what is sealed to ``measuredPCR`` from then on opens with no other volume.
    ///
    /// - Parameter path: systemd's log, which gets the record.
    /// - Returns: Whether the log was whole, so that a verifier can explain the PCR.
    /// - Throws: ``DiskError`` for the log, and ``TPMDeviceError``.
    public func measure(log path: String) throws -> Bool {
        try device.enter(BootPhase(opening: header), pcr: Self.measuredPCR, log: path)
    }
}
