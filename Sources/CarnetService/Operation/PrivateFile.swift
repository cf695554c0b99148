import Foundation

/// Files that hold secrets: readable by their owner, or not used.
public enum PrivateFile {
    /// Reads a whole file of at most `maximumByteCount` bytes.
    ///
    /// - Returns: The bytes, or `nil` when there is no such file.
    /// - Throws: ``ServiceStartError/exposed(_:mode:)`` when anybody but the owner may read or write it, and
    ///   ``ServiceStartError/foreign(_:)`` when another user owns it. The check is made on the file that was opened.
    public static func read(
        _ path: String, maximumByteCount: Int = 65536
    ) throws(ServiceStartError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .unreadable(path, String(cString: strerror(errno)))
        }
        defer { _ = close(descriptor) }
        try check(path, descriptor, forbidden: isCredential(path) ? 0o037 : 0o077)
        var bytes = [UInt8](repeating: 0, count: maximumByteCount + 1)
        var count = 0
        while count < bytes.count {
            let part = bytes.withUnsafeMutableBytes {
                Foundation.read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            guard part >= 0 else { throw .unreadable(path, String(cString: strerror(errno))) }
            if part == 0 { break }
            count += part
        }
        guard count <= maximumByteCount else { throw .unreadable(path, "more than \(maximumByteCount) bytes") }
        return Array(bytes.prefix(count))
    }

    /// Creates a file with mode 0600 that did not exist, and writes it through to the disk.
    public static func create(_ path: String, _ bytes: [UInt8]) throws(ServiceStartError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path, String(cString: strerror(errno))) }
        defer { _ = close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0, write(descriptor, bytes, bytes.count) == bytes.count,
            fsync(descriptor) == 0
        else {
            let reason = String(cString: strerror(errno))
            unlink(path)
            throw .unwritable(path, reason)
        }
    }

    /// Puts a file with mode 0600 in the place of another, or of none: after a crash either is there, whole.
    public static func replace(_ path: String, _ bytes: [UInt8]) throws(ServiceStartError) {
        let next = path + ".next"
        unlink(next)
        try create(next, bytes)
        guard rename(next, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(next)
            throw .unwritable(path, reason)
        }
    }

    /// Checks a file that another library will read.
    ///
    /// - Parameter mayReadGroup: Whether the file's group may read it, as is usual for TLS keys.
    static func check(_ path: String, mayReadGroup: Bool) throws(ServiceStartError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path, String(cString: strerror(errno))) }
        defer { _ = close(descriptor) }
        try check(path, descriptor, forbidden: mayReadGroup ? 0o037 : 0o077)
    }

    /// Whether systemd put the file there for this service alone: it gives the user an entry in the access control list, which shows as a
    /// group that may read. Source: systemd.exec(5), `LoadCredential=`.
    private static func isCredential(_ path: String) -> Bool {
        guard let folder = ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"], folder.hasPrefix("/"),
            path.hasPrefix(folder + "/")
        else { return false }
        return !path.dropFirst(folder.count + 1).contains("/")
    }

    private static func check(_ path: String, _ descriptor: CInt, forbidden: mode_t) throws(ServiceStartError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path, String(cString: strerror(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path, "it is not a regular file") }
        guard status.st_uid == geteuid() || status.st_uid == 0 else { throw .foreign(path) }
        guard status.st_mode & forbidden == 0 else {
            throw .exposed(path, mode: String(status.st_mode & 0o777, radix: 8))
        }
    }
}
