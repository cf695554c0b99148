import Fixtures
import Foundation
import Synchronization

/// Stands between a client and a server on loopback, and can begin to swallow what the server answers.
final class LossyProxy: Sendable {
    let port: Int
    private let listener: Int32
    private let target: Int
    private let swallows = Atomic<Bool>(false)

    init(to target: Int) throws {
        self.target = target
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0), length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = Self.with(&address) { bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0 }
        guard listens, listen(listener, 8) == 0 else { throw CocoaError(.featureUnsupported) }
        (self.listener, port) = (listener, Int(UInt16(bigEndian: address.sin_port)))
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Thread.detachNewThread { self.serve(client) }
            }
        }
    }

    /// From now on, what the server answers is lost, and the connection with it.
    func swallowAnswers() { swallows.store(true, ordering: .sequentiallyConsistent) }

    func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(target)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard Self.with(&address, { connect(server, $0, length) == 0 }) else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var both = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&both, 2, -1) > 0 else { break }
            let (from, to) = both[0].revents != 0 ? (client, server) : (server, client)
            let count = read(from, &buffer, buffer.count)
            if count <= 0 || from == server && swallows.load(ordering: .sequentiallyConsistent) { break }
            guard write(to, buffer, count) == count else { break }
        }
        for end in [client, server] { Foundation.close(end) }
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func with<Result>(
        _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
        }
    }
}
