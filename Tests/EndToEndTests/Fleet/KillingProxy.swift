import Fixtures
import Foundation
import Synchronization

/// What stands between a machine and a broker on loopback, and tells of each request: so that one of them can be killed at each.
///
/// The machine's client sends a request when the last one was answered, so that what it sends at once begins a request.
final class KillingProxy: Sendable {
    /// Where a request is.
    enum Moment: CaseIterable {
        /// The broker has seen nothing of it.
        case before
        /// The broker has all of it, and may be at work.
        case during
        /// The broker has answered, and the machine does not know.
        case after
    }

    /// How many requests came, the first line of this one, and where it is; returns whether its connection is to be closed.
    typealias Hook = @Sendable (_ number: Int, _ line: String, _ moment: Moment) -> Bool

    private struct State {
        var count = 0
        var line = ""
        var hook: Hook?
    }

    let port: Int
    private let target: Int
    private let listener: Int32
    private let state = Mutex(State())

    init(to target: Int) throws {
        port = try FreePort.take()
        self.target = target
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Self.with(port, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw CocoaError(.featureUnsupported)
        }
        _ = fcntl(listener, F_SETFD, FD_CLOEXEC)
        let descriptor = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                guard let self else { return _ = close(client) }
                Thread.detachNewThread { self.serve(client) }
            }
        }
    }

    /// No more is accepted.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// Counts from 1 again, and tells `hook`.
    func watch(_ hook: Hook?) {
        state.withLock { $0 = State(count: 0, line: "", hook: hook) }
    }

    /// How many requests came since.
    var count: Int { state.withLock(\.count) }

    private func serve(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        _ = fcntl(server, F_SETFD, FD_CLOEXEC)
        defer { for end in [client, server] { close(end) } }
        guard Self.with(target, { connect(server, $0, $1) }) == 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            var ends = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&ends, 2, 30_000) > 0 else { return }
            for (index, end) in ends.enumerated() where end.revents != 0 {
                let count = read(end.fd, &buffer, buffer.count)
                guard count > 0 else { return }
                let bytes = buffer[..<count], other = index == 0 ? server : client
                let line = String(decoding: bytes.prefix { $0 != 0x0D }, as: UTF8.self)
                let begins = index == 0 ? line.hasSuffix("HTTP/1.1") : line.hasPrefix("HTTP/1.1")
                if begins, tell(index == 0 ? .before : .after, index == 0 ? line : nil) { return }
                var sent = 0
                while sent < count {
                    let more = bytes[sent...].withUnsafeBytes {
                        send(other, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    guard more > 0 else { return }
                    sent += more
                }
                if begins, index == 0, tell(.during, nil) { return }
            }
        }
    }

    private func tell(_ moment: Moment, _ line: String?) -> Bool {
        let (number, line, hook) = state.withLock { state in
            if let line {
                state.count += 1
                state.line = line
            }
            return (state.count, state.line, state.hook)
        }
        return hook?(number, line, moment) ?? false
    }

    private static func with(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
