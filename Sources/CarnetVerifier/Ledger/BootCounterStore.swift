import CarnetRecords
import CarnetEvidence
import CarnetStorage

/// The last boot counters of each attestation key, and the firmware version that came with them.
enum BootCounterStore {
    /// The counters of a key, or `nil` when it never attested.
    static func counters(of name: [UInt8], in connection: any SQLConnection) throws -> BootCounters? {
        guard let row = try connection.row("SELECT * FROM boot_counters WHERE ak_name = \(name)") else { return nil }
        guard let resetCount = UInt32(exactly: try row.integer("reset_count")),
            let restartCount = UInt32(exactly: try row.integer("restart_count"))
        else { throw StorageError(.unexpectedValue, "a boot counter is no 32-bit number") }
        return BootCounters(
            resetCount: resetCount, restartCount: restartCount, clock: UInt64(bitPattern: try row.integer("clock")))
    }

    /// Remembers newer counters.
    static func store(
        _ counters: BootCounters, firmwareVersion: UInt64, of name: [UInt8], now: Int64,
        in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO boot_counters (ak_name, clock, reset_count, restart_count, firmware_version, updated_at)
            VALUES (\(name), \(Int64(bitPattern: counters.clock)), \(Int64(counters.resetCount)),
                \(Int64(counters.restartCount)), \(Int64(bitPattern: firmwareVersion)), \(now))
            ON CONFLICT (ak_name) DO UPDATE SET clock = excluded.clock, reset_count = excluded.reset_count,
                restart_count = excluded.restart_count, firmware_version = excluded.firmware_version,
                updated_at = excluded.updated_at
            """)
    }
}
