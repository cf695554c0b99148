internal import CTSS2

/// Since which start a TPM runs.
public struct BootEpoch: Sendable, Hashable {
    /// How often the TPM was reset (`TPMS_CLOCK_INFO.resetCount`).
    public let resetCount: UInt32
    /// How often it was resumed or restarted since (`TPMS_CLOCK_INFO.restartCount`).
    public let restartCount: UInt32

    /// An epoch.
    public init(resetCount: UInt32, restartCount: UInt32) {
        self.resetCount = resetCount
        self.restartCount = restartCount
    }
}

extension TPMDevice {
    /// TPM2_ReadClock: the counters of the running boot (TPM 2.0 Library, Part 3 §29.1).
    public func bootEpoch() throws(TPMDeviceError) -> BootEpoch {
        var time: UnsafeMutablePointer<TPMS_TIME_INFO>?
        try call("TPM2_ReadClock") { context in Esys_ReadClock(context, Self.none, Self.none, Self.none, &time) }
        return try take(time) { pointer in
            let clock = pointer.pointee.clockInfo
            return BootEpoch(resetCount: clock.resetCount, restartCount: clock.restartCount)
        }
    }
}
