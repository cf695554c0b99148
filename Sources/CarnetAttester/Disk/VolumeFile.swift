internal import Foundation

/// A volume, opened once: what is checked and what cryptsetup uses are the same file, whatever its name comes to stand for meanwhile.
public final class VolumeFile: Sendable {
    /// The path under which it was opened.
    public let path: String
    let descriptor: Int32

    /// Opens a block device or a file.
    ///
    /// - Throws: ``DiskError`` when it cannot be opened.
    public init(_ path: String) throws(DiskError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DiskError(
                errno == EACCES || errno == EPERM ? .unavailable : .unreadable,
                "\(path) cannot be opened: \(String(cString: strerror(errno))). Name a block device or a file, and run as root."
            )
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, [S_IFREG, S_IFBLK].contains(status.st_mode & S_IFMT) else {
            close(descriptor)
            throw DiskError(.unreadable, "\(path) is neither a block device nor a file.")
        }
    }

    deinit { close(descriptor) }

    /// Reads the header as it is now.
    ///
    /// - Throws: ``DiskError`` with the reason, and what to do.
    public func header() throws(DiskError) -> LUKS2Header {
        // Nearly all have small copies; whatever is amiss with them is for the whole.
        let beginning = try read(LUKS2Header.usualCopiesByteCount)
        if let header = try? LUKS2Header(parsing: beginning), header.isComplete { return header }
        let bytes = try read(LUKS2Header.maximumCopiesByteCount)
        do throws(LUKS2Error) {
            return try LUKS2Header(parsing: bytes)
        } catch {
            throw DiskError(error, path)
        }
    }

    /// A copy of the header that was checked, and of the keyslots as they are, for cryptsetup to use instead of the volume's:
    /// whoever writes to the disk meanwhile changes nothing any more.
    func copy(of header: LUKS2Header) throws(DiskError) -> HeaderCopy {
        let copy = try HeaderCopy(header.copies)
        var offset = off_t(header.copies.count)
        while offset < off_t(header.byteCount) {
            let count = sendfile(copy.descriptor, descriptor, &offset, header.byteCount - Int(offset))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw DiskError(
                    .unavailable, "The keyslots of \(path) cannot be copied: \(String(cString: strerror(errno))).")
            }
            guard count > 0 else {
                throw DiskError(.unreadable, "\(path) ends within its keyslots. Restore its header from a copy.")
            }
        }
        return copy
    }

    /// The first bytes of the volume, as many as there are and at most `count`.
    private func read(_ count: Int) throws(DiskError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count), filled = 0
        while filled < count {
            let read = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(filled))
            }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else {
                throw DiskError(.unavailable, "\(path) cannot be read: \(String(cString: strerror(errno))).")
            }
            if read == 0 { break }
            filled += read
        }
        return Array(bytes.prefix(filled))
    }
}

/// A header in a file without a name.
final class HeaderCopy: Sendable {
    let descriptor: Int32

    init(_ bytes: [UInt8]) throws(DiskError) {
        guard let descriptor = Self.open() else { throw Self.failure }
        self.descriptor = descriptor
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress?.advanced(by: written), bytes.count - written)
            }
            guard count > 0 else {
                close(descriptor)
                throw Self.failure
            }
            written += count
        }
    }

    deinit { close(descriptor) }

    /// A new file that loses its name at once, in memory where there is a place for it.
    private static func open() -> Int32? {
        for folder in ["/run", "/dev/shm", FileManager.default.temporaryDirectory.path] {
            let path = folder + "/carnet-header-" + UUID().uuidString
            let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { continue }
            unlink(path)
            return descriptor
        }
        return nil
    }

    private static var failure: DiskError {
        DiskError(
            .unavailable,
            "There is no room for a copy of the header in /run, /dev/shm or the temporary folder: \(String(cString: strerror(errno)))."
        )
    }
}
