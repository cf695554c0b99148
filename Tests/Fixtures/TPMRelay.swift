import Foundation
import Synchronization

/// What stands between a program and a software TPM's sockets: it counts how long the TPM works, and tells of each command.
///
/// A command's time is from its first byte to the answer's first; what the program does between two commands is not in it.
public final class TPMRelay: Sendable {
    /// What was counted since the last time.
    public struct Work: Sendable {
        /// How many commands were answered.
        public fileprivate(set) var commands = 0
        /// How long they took.
        public fileprivate(set) var milliseconds = 0.0
    }

    /// The number of a command that the TPM has not seen yet, from 1 on; returns whether its connection is to be closed.
    public typealias Hook = @Sendable (_ number: Int) -> Bool

    private struct State {
        var work = Work()
        var begun = 0
        var hook: Hook?
    }

    /// How to reach it.
    public let tcti: String
    private let folder: String
    private let listeners: [Int32]
    private let state = Mutex(State())

    /// - Parameter socket: The TPM's socket; the one for its control is beside it, `.ctrl`.
    public init(before socket: String) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "timed-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        tcti = "swtpm:path=\(folder)/tpm.sock"
        let ends = [(folder + "/tpm.sock", socket, true), (folder + "/tpm.sock.ctrl", socket + ".ctrl", false)]
        listeners = try ends.map { end in try Self.listen(end.0) }
        for (listener, end) in zip(listeners, ends) {
            Thread.detachNewThread { [weak self] in
                while case let client = accept(listener, nil, nil), client >= 0 {
                    guard let self else { return _ = close(client) }
                    Thread.detachNewThread { self.relay(client, to: end.1, counting: end.2) }
                }
            }
        }
    }

    deinit {
        for listener in listeners {
            shutdown(listener, Int32(SHUT_RDWR))
            close(listener)
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// What the TPM did since this was called last.
    public func take() -> Work {
        state.withLock { state in
            defer { state.work = Work() }
            return state.work
        }
    }

    /// Counts commands from 1 again, and tells `hook` of each.
    public func watch(_ hook: Hook?) {
        state.withLock { state in
            state.begun = 0
            state.hook = hook
        }
    }

    /// How many commands began since.
    public var count: Int { state.withLock(\.begun) }

    private func begin() -> Bool {
        let (number, hook) = state.withLock { state in
            state.begun += 1
            return (state.begun, state.hook)
        }
        return hook?(number) ?? false
    }

    private func relay(_ client: Int32, to path: String, counting: Bool) {
        let tpm = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { for end in [client, tpm] { close(end) } }
        for end in [client, tpm] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        guard Self.with(path, { connect(tpm, $0, $1) }) == 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 8192), start: ContinuousClock.Instant?
        while true {
            var ends = [client, tpm].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&ends, 2, 60_000) > 0 else { return }
            for (index, end) in ends.enumerated() where end.revents != 0 {
                let count = read(end.fd, &buffer, buffer.count)
                guard count > 0 else { return }
                if index == 0, start == nil {
                    if counting, begin() { return }
                    start = .now
                }
                if index == 1, let begun = start {
                    start = nil
                    if counting { note(ContinuousClock.now - begun) }
                }
                guard send(index == 0 ? tpm : client, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
        }
    }

    private func note(_ duration: Duration) {
        state.withLock { state in
            state.work.commands += 1
            state.work.milliseconds += duration / .milliseconds(1)
        }
    }

    private static func listen(_ path: String) throws -> Int32 {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        _ = fcntl(listener, F_SETFD, FD_CLOEXEC)
        guard with(path, { bind(listener, $0, $1) }) == 0, Glibc.listen(listener, 16) == 0 else {
            throw CocoaError(.fileWriteUnknown)
        }
        return listener
    }

    private static func with(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
