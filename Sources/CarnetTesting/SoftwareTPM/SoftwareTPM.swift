public import CarnetAttester
internal import Foundation

/// A software TPM (swtpm) with an endorsement certificate of a local authority, in a directory of its own.
///
/// It serves one client at a time on the socket `tpm.sock`. It stops when the value is gone, unless it was told to stay.
public final class SoftwareTPM: @unchecked Sendable {
    /// The directory that holds the state, the authority's certificates (`ca/*.pem`) and the socket.
    public let directory: String
    private var staysAlive = false

    /// How to reach it.
    public var tcti: String { "swtpm:path=\(directory)/tpm.sock" }

    /// The certificates of the authority that certified the endorsement key, as PEM files.
    public var authorityFiles: [String] {
        ["issuercert.pem", "swtpm-localca-rootca-cert.pem"].map { "\(directory)/ca/\($0)" }
    }

    private init(directory: String) { self.directory = directory }

    deinit { if !staysAlive { stop() } }

    /// Makes a TPM with its authority and starts it.
    public static func provision(in directory: String) throws -> SoftwareTPM {
        let path = URL(filePath: directory).standardizedFileURL.path
        for folder in ["state", "ca"] {
            try FileManager.default.createDirectory(
                atPath: path + "/" + folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        try writeAuthorityConfiguration(path)
        try Command.run(
            "swtpm_setup",
            [
                "--tpm2", "--tpmstate", path + "/state", "--config", path + "/setup.conf", "--create-ek-cert",
                "--lock-nvram", "--pcr-banks", "sha256", "--overwrite", "--logfile", path + "/setup.log",
            ])
        let tpm = SoftwareTPM(directory: path)
        try tpm.start()
        return tpm
    }

    /// A running copy of a TPM that was provisioned once for this process: the same endorsement key, and no time lost.
    public static func copy() throws -> SoftwareTPM {
        let template = try prototype.get()
        let path = FileManager.default.temporaryDirectory.appending(path: "carnet-tpm-" + UUID().uuidString.prefix(8))
            .path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for folder in ["state", "ca"] {
            try FileManager.default.copyItem(atPath: template + "/" + folder, toPath: path + "/" + folder)
        }
        let tpm = SoftwareTPM(directory: path)
        tpm.isTemporary = true
        try tpm.start()
        return tpm
    }

    private var isTemporary = false

    private static let prototype = Result {
        let path = FileManager.default.temporaryDirectory.appending(path: "carnet-tpm-prototype-\(getpid())").path
        let tpm = try provision(in: path)
        tpm.stop()
        atexit {
            try? FileManager.default.removeItem(
                at: FileManager.default.temporaryDirectory.appending(path: "carnet-tpm-prototype-\(getpid())"))
        }
        return path
    }

    /// A TPM that was provisioned before and is running, or will be started.
    public static func existing(in directory: String) -> SoftwareTPM {
        let tpm = SoftwareTPM(directory: URL(filePath: directory).standardizedFileURL.path)
        tpm.staysAlive = true
        return tpm
    }

    /// Leaves the TPM running when the value is gone; `stop()` by its process id is then the caller's.
    public func keepAlive() { staysAlive = true }

    /// Starts it: PCRs at their start values, the boot counter one higher.
    public func start() throws {
        try Command.run(
            "swtpm",
            [
                "socket", "--tpm2", "--server", "type=unixio,path=\(directory)/tpm.sock", "--ctrl",
                "type=unixio,path=\(directory)/tpm.sock.ctrl", "--tpmstate", "dir=\(directory)/state", "--flags",
                "not-need-init,startup-clear", "--seccomp", "action=kill", "--daemon", "--pid",
                "file=\(directory)/swtpm.pid",
                "--log", "file=\(directory)/swtpm.log,level=1",
            ])
    }

    /// Stops it by its process id and waits until it is gone.
    public func stop() {
        let file = directory + "/swtpm.pid"
        guard let text = try? String(contentsOfFile: file, encoding: .utf8),
            let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), pid > 1
        else { return }
        kill(pid, SIGTERM)
        var attempt = 0
        while attempt < 400, Self.isRunning(pid) {
            if attempt == 200 { kill(pid, SIGKILL) }
            usleep(2000)
            attempt += 1
        }
        for name in ["/swtpm.pid", "/tpm.sock", "/tpm.sock.ctrl"] {
            try? FileManager.default.removeItem(atPath: directory + name)
        }
        if isTemporary { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// Whether a process still works; one that only waits to be reaped by its parent does not.
    private static func isRunning(_ pid: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let state = text.split(separator: ")").last?.split(separator: " ").first
        else { return false }
        return state != "Z" && state != "X"
    }

    /// Power off and on.
    public func reboot() throws {
        let wasTemporary = isTemporary
        isTemporary = false
        stop()
        isTemporary = wasTemporary
        try start()
    }

    /// Opens the TPM. Only one client can at a time.
    public func device() throws -> TPMDevice { try TPMDevice(tcti) }
}
