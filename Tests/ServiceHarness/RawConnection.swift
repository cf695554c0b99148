import Foundation

/// A TCP connection to loopback, for what no HTTP client would send.
package final class RawConnection: Sendable {
    private let descriptor: CInt

    /// Connects to a port of 127.0.0.1; reads give up after `timeout` seconds.
    ///
    /// - Parameter source: From which address of loopback, as 127.0.0.2: each is another client.
    package init(port: Int, timeout: Int = 60, from source: String? = nil) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Self.failure }
        if let source {
            var own = sockaddr_in()
            own.sin_family = sa_family_t(AF_INET)
            guard inet_pton(AF_INET, source, &own.sin_addr) == 1 else { throw Self.failure }
            let bound = withUnsafePointer(to: &own) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard bound == 0 else { throw Self.failure }
        }
        var time = timeval(tv_sec: timeout, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Self.failure }
    }

    /// Why the last call of the system failed.
    private static var failure: POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }

    deinit { close(descriptor) }

    /// Connects many times, from as many addresses as `source` names.
    ///
    /// A full queue of the listener blocks a thread, so that is one of its own: the service under test needs those of the tasks.
    package static func many(
        _ count: Int, port: Int, from source: @escaping @Sendable (Int) -> String
    ) async throws -> [RawConnection] {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result { try (0..<count).map { try RawConnection(port: port, from: source($0)) } })
            }
        }
    }

    /// Sends text as it is. A connection that the other side has closed takes it silently.
    package func send(_ text: String) {
        _ = Foundation.send(descriptor, text, text.utf8.count, CInt(MSG_NOSIGNAL))
    }

    /// Sends text again and again until the other side has closed the connection, at most so often.
    ///
    /// A receiver that does not read blocks a thread, so that is one of its own: the service under test needs those of the tasks.
    package func flood(_ text: String, _ count: Int) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                for _ in 0..<count where !isClosed { send(text) }
                continuation.resume()
            }
        }
    }

    /// Sends one request without a body, and reads the whole answer.
    package func get(_ path: String, _ headers: String = "") async -> String {
        send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(headers)\r\n")
        return await readUntilClosed() ?? ""
    }

    /// Whether the other side has closed the connection. What has arrived is left out.
    package var isClosed: Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            if count == 0 || (count < 0 && errno != EAGAIN) { return true }
            if count < 0 { return false }
        }
    }

    /// Waits until something has arrived, which is left where it is; `false` when nothing does in ten seconds, or the other side closes.
    package func hasAnswer() async -> Bool {
        for _ in 0..<1000 {
            var byte: UInt8 = 0
            let count = recv(descriptor, &byte, 1, CInt(MSG_DONTWAIT | MSG_PEEK))
            if count > 0 { return true }
            if count == 0 || errno != EAGAIN { return false }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Says that nothing more will be sent; answers can still arrive.
    package func finishSending() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// What arrives until the other side closes the connection; `nil` when it does not within the timeout.
    ///
    /// The wait blocks a thread, so it has one of its own: the service under test needs those of the tasks.
    package func readUntilClosed() async -> String? {
        let descriptor = descriptor
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Self.readUntilClosed(descriptor)) }
        }
    }

    private static func readUntilClosed(_ descriptor: CInt) -> String? {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return String(decoding: all, as: UTF8.self) }
            if count < 0 { return nil }
            all += buffer.prefix(count)
        }
    }
}
