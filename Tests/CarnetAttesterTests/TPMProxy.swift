import Foundation
import Synchronization

/// Stands between a program and a software TPM, keeps every byte that passes, and can answer a command itself.
final class TPMProxy: Sendable {
    /// A TCTI string that leads through it.
    var tcti: String { "swtpm:path=\(path)" }
    private let path: String
    private let state = Mutex(State())

    private struct State {
        var bytes: [UInt8] = []
        var commands = 0
        var failing: Int?
    }

    /// Everything that passed.
    var bytes: [UInt8] { state.withLock { $0.bytes } }
    /// How many commands passed that free nothing.
    var commands: Int { state.withLock { $0.commands } }

    /// Fails a command, counted from now; no command that frees something is counted. `nil` fails none.
    func fail(_ number: Int?) {
        state.withLock { state in
            state.commands = 0
            state.failing = number
        }
    }

    /// Listens beside the TPM's own socket.
    init(directory: String) throws {
        path = directory + "/proxy.sock"
        for suffix in ["", ".ctrl"] {
            let listener = try Self.listen(path + suffix), target = directory + "/tpm.sock" + suffix
            let isControl = suffix == ".ctrl"
            Thread.detachNewThread { [self] in
                while true {
                    let client = accept(listener, nil, nil)
                    guard client >= 0 else { return }
                    let server = Self.connect(target)
                    Thread.detachNewThread { [self] in isControl ? pump(client, server) : serve(client, server) }
                    if isControl { Thread.detachNewThread { [self] in pump(server, client) } }
                }
            }
        }
    }

    /// Command by command: each is answered before the next.
    private func serve(_ client: Int32, _ server: Int32) {
        defer {
            close(client)
            close(server)
        }
        while let command = Self.message(client) {
            let isFlush = command[6..<10].elementsEqual([0, 0, 0x01, 0x65])
            let fails = state.withLock { state in
                state.bytes += command
                guard !isFlush else { return false }
                state.commands += 1
                return state.failing == state.commands
            }
            if fails {
                // TPM_RC_FAILURE without sessions.
                _ = write(client, [0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 1] as [UInt8], 10)
                continue
            }
            guard write(server, command, command.count) == command.count, let answer = Self.message(server) else {
                return
            }
            state.withLock { $0.bytes += answer }
            _ = write(client, answer, answer.count)
        }
    }

    private func pump(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(from, &buffer, buffer.count)
            guard count > 0 else { break }
            state.withLock { $0.bytes += buffer[..<count] }
            _ = write(to, buffer, count)
        }
        shutdown(to, Int32(SHUT_RDWR))
    }

    /// A whole command or answer: its size is in bytes 2 to 5.
    private static func message(_ descriptor: Int32) -> [UInt8]? {
        func more(_ count: Int) -> [UInt8]? {
            var bytes: [UInt8] = []
            while bytes.count < count {
                var buffer = [UInt8](repeating: 0, count: count - bytes.count)
                let received = read(descriptor, &buffer, buffer.count)
                guard received > 0 else { return nil }
                bytes += buffer.prefix(received)
            }
            return bytes
        }
        guard let header = more(10) else { return nil }
        let size = header[2..<6].reduce(0) { $0 << 8 | Int($1) }
        return size > 10 ? more(size - 10).map { header + $0 } : header
    }

    private static func listen(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let isBound = withAddress(path) { bind(descriptor, $0, $1) == 0 }
        guard isBound, Foundation.listen(descriptor, 8) == 0 else { throw CocoaError(.fileWriteUnknown) }
        return descriptor
    }

    private static func connect(_ path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        _ = withAddress(path) { Foundation.connect(descriptor, $0, $1) }
        return descriptor
    }

    private static func withAddress<Value>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value)
        -> Value
    {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
