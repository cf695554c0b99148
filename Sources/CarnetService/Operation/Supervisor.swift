import Foundation

/// Whoever started the program and waits until it is ready: systemd, for a unit with `Type=notify`.
///
/// One datagram to the socket that `NOTIFY_SOCKET` names; nothing comes back. Source: sd_notify(3), systemd 252.
public struct Supervisor: Sendable, Hashable {
    /// What it is told.
    public enum State: String, Sendable, Hashable {
        /// The program does what it was started for.
        case ready = "READY=1"
        /// It is about to end.
        case stopping = "STOPPING=1"
    }

    /// The socket's name as the kernel has it: a path, or a zero byte and a name without a file.
    private let name: [UInt8]

    /// The supervisor that the environment names; `nil` for none, or for a name that no socket has.
    public init?(_ environment: [String: String]) {
        guard let text = environment["NOTIFY_SOCKET"], let first = text.utf8.first,
            first == UInt8(ascii: "/") || first == UInt8(ascii: "@"),
            (2..<MemoryLayout.size(ofValue: sockaddr_un().sun_path)).contains(text.utf8.count),
            !text.utf8.contains(0)
        else { return nil }
        name = (first == UInt8(ascii: "@") ? [0] : [first]) + text.utf8.dropFirst()
    }

    /// Tells it, if it listens. Where nobody does, nothing is lost.
    public func tell(_ state: State) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { _ = close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // The family, and as many bytes of the name as it has: a name without a file is not ended by a zero.
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let message = Array(state.rawValue.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sender in
                sendto(descriptor, message, message.count, CInt(MSG_NOSIGNAL), sender, length)
            }
        }
    }
}
