internal import Foundation

/// A file that the agent writes for programs which only read files: replaced as a whole, or removed.
public struct SharedFile: Sendable, Hashable {
    /// Where it is.
    public let path: String
    /// Its permissions.
    public let mode: UInt32
    /// Its group; `nil` for the agent's.
    public let group: UInt32?

    /// A file.
    public init(_ path: String, mode: UInt32 = 0o600, group: UInt32? = nil) {
        self.path = path
        self.mode = mode
        self.group = group
    }

    /// Permissions as octal digits: at most 0644, and its owner reads; `nil` for others. A passport that others can replace is none.
    public static func mode(_ text: String) -> UInt32? {
        guard (3...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x37).contains($0) }),
            let mode = UInt32(text, radix: 8), mode & ~0o644 == 0, mode & 0o400 != 0
        else { return nil }
        return mode
    }

    /// Writes it through to the disk under another name, with its group and mode before anybody can find it, and puts it in place.
    func write(_ bytes: [UInt8]) throws(AgentStartError) {
        let temporary = path + ".new-\(getpid())"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        guard rest.isEmpty, group.map({ fchown(descriptor, .max, $0) == 0 }) ?? true,
            fchmod(descriptor, mode_t(mode)) == 0, fsync(descriptor) == 0, rename(temporary, path) == 0
        else {
            let failure = failure()
            unlink(temporary)
            throw failure
        }
    }

    /// Removes it; one that is not there is no error.
    func remove() throws(AgentStartError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw failure() }
    }

    private func failure() -> AgentStartError {
        AgentStartError(.unusable, "\(path) cannot be written: \(String(cString: strerror(errno))).")
    }
}
