internal import Foundation

/// The agent's socket: in a directory that nobody else can write to, and not another agent's.
public struct AgentSocket: Sendable {
    /// Where it is.
    public let path: String
    private let lock: FileLock

    /// The longest path, in bytes: what `sun_path` has room for with its zero (unix(7)).
    public static let maximumPathByteCount = 107

    /// Makes the directory if it is missing, mode 0755, and takes the place. A socket that a dead agent left is removed.
    ///
    /// - Throws: ``AgentStartError`` when another agent has it, or others can write to the directory: they could put a socket of their own there.
    public init(_ path: String) throws(AgentStartError) {
        guard path.hasPrefix("/"), path.utf8.count <= Self.maximumPathByteCount, !path.utf8.contains(0) else {
            throw AgentStartError(
                .unusable, "\(path) is no path of a socket: it begins with / and has at most 107 bytes.")
        }
        let directory = URL(filePath: path).deletingLastPathComponent().path
        // Whatever the umask: callers have to find the socket, and the socket's own mode says who may connect.
        if mkdir(directory, 0o755) == 0 { chmod(directory, 0o755) }
        try Self.check(directory)
        lock = try FileLock(path + ".lock", of: "the socket \(path)")
        self.path = path
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else {
                throw AgentStartError(.unusable, "\(path) is no socket, and is not replaced. Remove it.")
            }
            unlink(path)
        }
    }

    private static func check(_ directory: String) throws(AgentStartError) {
        var status = stat()
        guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw AgentStartError(
                .unusable, "There is no directory \(directory) for the socket, and it cannot be made.")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & 0o022 == 0 else {
            throw AgentStartError(
                .unusable,
                "Others can write to \(directory), and could put a socket of their own there. Run: chmod go-w \(directory), or name a directory that does not exist yet."
            )
        }
    }

    /// Lets its owner connect, or everybody: who may ask for what is decided at each call. It has to be listened on.
    func open(toOthers: Bool) throws(AgentStartError) {
        guard chmod(path, toOthers ? 0o666 : 0o600) == 0 else {
            throw AgentStartError(
                .unusable, "\(path) cannot be opened to callers: \(String(cString: strerror(errno))).")
        }
    }

    /// Removes it.
    func remove() { unlink(path) }
}
