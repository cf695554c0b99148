import CarnetStorage
package import TPM2

/// The last clock of each attestation key (TPMS_CLOCK_INFO). A TPM counts forwards; evidence that does not is old or forged.
package enum BootCounters {
    /// What is remembered of a key.
    package struct State: Sendable, Hashable {
        /// Milliseconds for which the TPM has had power.
        package let clock: UInt64
        /// How often it was reset.
        package let resetCount: UInt32
        /// How often it was restarted or resumed since.
        package let restartCount: UInt32
        /// The firmware's version.
        package let firmwareVersion: UInt64

        /// A state.
        package init(clock: UInt64, resetCount: UInt32, restartCount: UInt32, firmwareVersion: UInt64) {
            self.clock = clock
            self.resetCount = resetCount
            self.restartCount = restartCount
            self.firmwareVersion = firmwareVersion
        }

        /// The state that a signed structure reports.
        package init(_ attest: TPM.Attest) {
            self.init(
                clock: attest.clockInfo.clock, resetCount: attest.clockInfo.resetCount,
                restartCount: attest.clockInfo.restartCount, firmwareVersion: attest.firmwareVersion)
        }

        /// Whether this state can come after `last`: a reset starts a new epoch; within one, restarts and clock only grow.
        package func follows(_ last: State) -> Bool {
            if resetCount != last.resetCount { return resetCount > last.resetCount }
            return restartCount >= last.restartCount && clock >= last.clock
        }

        init(row: SQLRow) throws(StorageError) {
            guard let resetCount = UInt32(exactly: try row.integer("reset_count")),
                let restartCount = UInt32(exactly: try row.integer("restart_count"))
            else { throw StorageError(.unexpectedValue, "a boot counter is no 32-bit number") }
            self.init(
                clock: UInt64(bitPattern: try row.integer("clock")), resetCount: resetCount, restartCount: restartCount,
                firmwareVersion: UInt64(bitPattern: try row.integer("firmware_version")))
        }
    }

    /// The state of a key, or `nil` when it never attested.
    static func state(of name: [UInt8], in connection: any SQLConnection) throws -> State? {
        try connection.row("SELECT * FROM boot_counters WHERE ak_name = \(name)").map(State.init(row:))
    }

    /// Remembers a newer state.
    static func store(
        _ state: State, of name: [UInt8], now: Int64, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO boot_counters (ak_name, clock, reset_count, restart_count, firmware_version, updated_at)
            VALUES (\(name), \(Int64(bitPattern: state.clock)), \(Int64(state.resetCount)), \(Int64(state.restartCount)),
                \(Int64(bitPattern: state.firmwareVersion)), \(now))
            ON CONFLICT (ak_name) DO UPDATE SET clock = excluded.clock, reset_count = excluded.reset_count,
                restart_count = excluded.restart_count, firmware_version = excluded.firmware_version,
                updated_at = excluded.updated_at
            """)
    }
}
