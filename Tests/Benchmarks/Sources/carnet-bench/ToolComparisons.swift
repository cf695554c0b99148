import Foundation
import MeasurementLogs
import TPM2

/// What a verifier saves that reads logs itself, instead of starting tpm2-tools' `tpm2_eventlog` and reading its answer.
///
/// No bar: the tool's time is mostly its start, and it prints every event besides. Both read the same file and replay every bank in it.
enum ToolComparisons {
    private static let tool = "/usr/bin/tpm2_eventlog"
    /// Logs of machines that really booted, 31 to 58 KB, beside the checkout.
    private static let logs = [
        "tcg-eventlog/keylime/binary_bios_measurements.bin",
        "tcg-eventlog/go-attestation/ubuntu_2104_shielded_vm_no_secure_boot_eventlog.bin",
    ]

    static func all() throws -> [Comparison] {
        guard FileManager.default.isExecutableFile(atPath: tool) else {
            print("skipped: \(tool) is not installed (make packages installs it)")
            return []
        }
        return logs.compactMap { name in
            let path = fixtures.appending(path: name).path
            guard let data = FileManager.default.contents(atPath: path) else {
                print("skipped: ../shared/fixtures/\(name) is absent (set CARNET_SHARED to its parent folder)")
                return nil
            }
            let bytes = [UInt8](data), size = "\(bytes.count / 1000) KB"
            return Comparison(
                name: "a real log of \(size)", bar: nil, baselineName: "tpm2_eventlog, a process",
                baseline: { precondition(ChildProcess.run(tool, [path]) == 0) },
                measured: { precondition(read(bytes)) })
        }
    }

    /// Parses a log, replays all its banks, and reads it as a boot.
    private static func read(_ bytes: [UInt8]) -> Bool {
        guard let log = try? EventLog(parsing: bytes) else { return false }
        let replays = log.banks.compactMap { ReplayedEventLog(log, bank: $0.algorithm) }
        guard let replay = replays.first(where: { $0.bank == .sha256 }) else { return false }
        return !MeasuredBoot(replay).objects.isEmpty
    }

    private static var fixtures: URL {
        if let named = ProcessInfo.processInfo.environment["CARNET_SHARED"] {
            return URL(filePath: named).appending(path: "fixtures")
        }
        var root = URL(filePath: #filePath)
        for _ in 0..<6 { root.deleteLastPathComponent() }
        return root.appending(path: "shared/fixtures")
    }
}

/// A program that is run to its end, started as cheaply as the system can.
enum ChildProcess {
    /// Its exit status, or 127 when it could not be started.
    ///
    /// - Parameter output: The file that its output goes to.
    static func run(_ path: String, _ arguments: [String], output: String = "/dev/null") -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        guard posix_spawn(&process, path, &actions, nil, &words, environ) == 0 else { return 127 }
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1 && errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 127
    }
}
