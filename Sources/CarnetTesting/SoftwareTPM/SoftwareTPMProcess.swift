internal import Foundation
internal import Synchronization

/// One run of swtpm on a TPM's state: what is between power on and power off.
///
/// A shell watches over it and kills it when this process ends, however it ends.
final class SoftwareTPMProcess: Sendable {
    /// Where the TPM takes commands, from one connection at a time; its control channel is at the same path and `.ctrl`.
    let socketPath: String
    private let lifeline: FileHandle
    private let process: Mutex<Process?>

    /// Powers on the TPM whose state is in `directory`/state, and waits until it accepts connections.
    init(directory: String) throws {
        socketPath = directory + "/tpm.sock"
        let program = try Program.find("swtpm")
        for path in [socketPath, socketPath + ".ctrl"] { try? FileManager.default.removeItem(atPath: path) }
        let watch = Pipe()
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        // Standard input is the lifeline: it ends when this process does. The TPM itself must not hold it.
        let script = #""$@" </dev/null & pid=$!; read -r _; kill $pid 2>/dev/null; wait $pid"#
        process.arguments = ["-c", script, "swtpm", program.path] + Self.arguments(directory, socketPath)
        process.standardInput = watch
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        lifeline = watch.fileHandleForWriting
        try? watch.fileHandleForReading.close()
        self.process = Mutex(process)
        for _ in 0..<1000 {
            if (try? TPMSocket(path: socketPath)) != nil { return }
            usleep(5_000)
        }
        stop()
        throw SoftwareTPMError("swtpm does not accept connections on \(socketPath); see \(directory)/swtpm.log")
    }

    deinit { stop() }

    /// Powers off and waits until the process is gone.
    func stop() {
        process.withLock { process in
            guard let running = process else { return }
            process = nil
            try? lifeline.close()
            running.waitUntilExit()
            for path in [socketPath, socketPath + ".ctrl"] { try? FileManager.default.removeItem(atPath: path) }
        }
    }

    static func arguments(_ directory: String, _ socketPath: String) -> [String] {
        [
            "socket", "--tpm2", "--server", "type=unixio,path=" + socketPath, "--ctrl",
            "type=unixio,path=" + socketPath + ".ctrl", "--tpmstate", "dir=" + directory + "/state", "--flags",
            "not-need-init,startup-clear", "--seccomp", "action=kill", "--log", "file=" + directory + "/swtpm.log,level=1",
        ]
    }
}
