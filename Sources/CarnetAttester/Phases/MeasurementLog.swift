internal import Foundation

/// systemd's log of what the running system measured, opened to write to it.
///
/// systemd holds an exclusive lock from before it extends a PCR until the record is written, and sets the sticky bit meanwhile: whoever
/// finds the bit set knows that a writer died, and leaves it set. Source: systemd, `measurement_log_open` and what follows it.
final class MeasurementLog {
    private let descriptor: Int32
    private let path: String
    /// Whether a writer died before its record was written: the log no longer explains the PCRs.
    let isDamaged: Bool

    /// Opens the log, or makes it, and waits for its lock.
    init(_ path: String) throws(DiskError) {
        self.path = path
        func failure(_ what: String) -> DiskError {
            DiskError(
                .unavailable,
                "The log \(path) cannot be \(what): \(String(cString: strerror(errno))). Nothing was measured. Run as root, or name another with --runtime-log."
            )
        }
        // The folder that systemd makes; another is a typing error, which nobody would read a log from.
        if path == LogSources.standardRuntimeLog {
            try? FileManager.default.createDirectory(
                atPath: URL(filePath: path).deletingLastPathComponent().path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755])
        }
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("opened") }
        var code = flock(descriptor, LOCK_EX)
        while code != 0, errno == EINTR { code = flock(descriptor, LOCK_EX) }
        var status = stat()
        guard code == 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let failure = failure("locked")
            close(descriptor)
            throw failure
        }
        isDamaged = status.st_mode & S_ISVTX != 0
        guard isDamaged || fchmod(descriptor, 0o600 | S_ISVTX) == 0 else {
            let failure = failure("marked")
            close(descriptor)
            throw failure
        }
    }

    deinit { close(descriptor) }

    /// Appends a record, through to the disk, and takes the mark away.
    func append(_ record: [UInt8]) throws(DiskError) {
        guard write(descriptor, record, record.count) == record.count, fsync(descriptor) == 0,
            isDamaged || fchmod(descriptor, 0o600) == 0
        else {
            throw DiskError(
                .unavailable,
                "The PCR was extended, but \(path) cannot be written: \(String(cString: strerror(errno))). No verifier can explain the PCR until the next boot."
            )
        }
    }

    /// Takes the mark away when nothing was measured.
    func abandon() { if !isDamaged { fchmod(descriptor, 0o600) } }
}
