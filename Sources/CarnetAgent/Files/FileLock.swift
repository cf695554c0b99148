internal import Foundation

/// A file that one process holds for as long as it lives: the kernel gives it free when the process ends, however it ends.
public final class FileLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock; the file is made with mode 0600.
    ///
    /// - Throws: ``AgentStartError``, ``AgentStartError/Code/taken`` when another process has it.
    public init(_ path: String, of what: String) throws(AgentStartError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw AgentStartError(.unusable, "\(path) cannot be opened: \(String(cString: strerror(errno))).")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isTaken = errno == EWOULDBLOCK, reason = String(cString: strerror(errno))
            close(descriptor)
            guard isTaken else { throw AgentStartError(.unusable, "\(path) cannot be locked: \(reason).") }
            throw AgentStartError(
                .taken, "Another agent uses \(what). End it, or give this one another.")
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}
