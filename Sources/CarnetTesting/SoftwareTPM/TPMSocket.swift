internal import Foundation

/// A connection to a software TPM's socket: command bytes in, response bytes out.
package final class TPMSocket {
    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    private let descriptor: Int32

    /// Connects. Until the value is gone, the TPM serves nobody else.
    package init(path: String) throws(Failed) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            guard buffer.count > path.utf8.count else { return false }
            buffer.copyBytes(from: path.utf8)
            return true
        }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                fits && connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard connected else {
            close(descriptor)
            throw Failed(description: "no connection to \(path)")
        }
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Sends a command and returns the response's bytes after its header.
    ///
    /// - Throws: When the TPM refuses the command, or is silent for ten seconds: it serves one connection at a time.
    @discardableResult
    package func send(_ command: [UInt8]) throws(Failed) -> [UInt8] {
        guard write(descriptor, command, command.count) == command.count else {
            throw Failed(description: "the software TPM closed its socket")
        }
        let header = try receive(10)
        let count = header[2..<6].reduce(0) { $0 << 8 | Int($1) }
        let code = header[6..<10].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let body = count > 10 ? try receive(min(count, 4096) - 10) : []
        guard code == 0 else { throw Failed(description: "the software TPM answered 0x\(String(code, radix: 16))") }
        return body
    }

    private func receive(_ count: Int) throws(Failed) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var buffer = [UInt8](repeating: 0, count: count - bytes.count)
            let received = read(descriptor, &buffer, buffer.count)
            guard received > 0 else {
                throw Failed(description: "the software TPM gives no answer: is another program connected to it?")
            }
            bytes += buffer.prefix(received)
        }
        return bytes
    }
}
