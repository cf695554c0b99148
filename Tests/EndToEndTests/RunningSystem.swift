import CarnetTesting
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// A system that systemd measures after ``UnifiedBoot``.
enum RunningSystem {
    /// The PCRs of the policies.
    static let measured = [0, 4, 5, 7, 9, 11, 12, 13, 15]

    /// What systemd measures after ``UnifiedBoot``, in the order of a real boot.
    static func log(phases: [String] = ["sysinit", "ready"]) -> RuntimeLogBuilder {
        var log = RuntimeLogBuilder()
        log.add(pcr: 9, "nvpcr-init:hardware:0x1d10200:000bff27", kind: "nvpcr-init")
        log.add(pcr: 9, "nvpcr-separator", kind: "nvpcr-separator")
        for phase in ["enter-initrd", "leave-initrd"] { log.add(pcr: 11, phase) }
        log.add(pcr: 12, "imds:4691595b", kind: "imds-userdata")
        log.add(pcr: 13, "sysext:debug-tools", kind: "sysext")
        log.add(pcr: 15, "machine-id:4691595be6a345f1833cc75fab63e475", kind: "machine-id")
        log.add(pcr: 15, "file-system:/:ext4", kind: "file-system")
        for phase in phases { log.add(pcr: 11, phase) }
        return log
    }

    /// A policy that names the values of all PCRs but the machine's own, 15.
    static func policy(
        _ boot: EventLogBuilder, _ runtime: RuntimeLogBuilder?, rule: String = "required"
    ) throws -> String {
        var log = try EventLog(parsing: boot.bytes)
        if let runtime { log = try log.appending(RuntimeLog(parsing: runtime.bytes)) }
        let replay = try #require(ReplayedEventLog(log, bank: .sha256))
        let lines = measured.map { "    \($0): \($0 == 15 ? "ignore" : replay.value(ofPCR: $0).hex)\n" }.joined()
        return "version: 1\nid: running\nevent_log: required\nruntime_log: \(rule)\nbanks:\n  sha256:\n" + lines
    }

    /// The records of a log, each with its separator.
    static func records(_ log: RuntimeLogBuilder) -> [[UInt8]] {
        log.bytes.split(separator: 0x1E).map { [0x1E] + $0 }
    }
}
