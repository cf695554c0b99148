internal import Foundation

/// Files that only their owner may read, replaced as a whole or not at all.
public enum PrivateFile {
    /// Writes `bytes` to `path` with mode 0600 from the first byte on, through to the disk, in one step for whoever reads it.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        func failure() -> CocoaError {
            CocoaError(
                .fileWriteUnknown,
                userInfo: [
                    NSFilePathErrorKey: path,
                    NSLocalizedDescriptionKey: "\(path) cannot be written: \(String(cString: strerror(errno)))",
                ])
        }
        let temporary = path + ".new-\(getpid())"
        unlink(temporary)
        // O_EXCL: whatever somebody else puts there meanwhile is not followed.
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure() }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress?.advanced(by: written), bytes.count - written)
            }
            guard count > 0 else { break }
            written += count
        }
        guard written == bytes.count, fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            let failure = failure()
            close(descriptor)
            unlink(temporary)
            throw failure
        }
        close(descriptor)
    }
}
