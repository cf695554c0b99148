internal import HummingbirdCore

/// Where a service listens: an IP address or name, and a port. Port 0 asks the system for a free one. Or a socket of Unix.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// The host, without brackets.
    public let host: String
    /// The port.
    public let port: Int
    /// The path of a socket of Unix; `nil` for a port.
    public let socketPath: String?

    /// A socket of Unix, for programs on this machine. What lies at the path is replaced.
    public init(socketPath: String) {
        host = socketPath
        port = 0
        self.socketPath = socketPath
    }

    /// Reads `127.0.0.1:8443`, `localhost:0` or `[::1]:8443`; `nil` when it is none of these.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.host = String(host)
        self.port = Int(port)
        socketPath = nil
    }

    /// Whether only programs on this machine can connect: a socket of Unix, `127.0.0.0/8`, `::1`, or the name `localhost`.
    public var isLoopback: Bool {
        if socketPath != nil || host == "localhost" || host == "::1" { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }

    /// The address to bind. A name could stand for anything, so `localhost` is taken for what it means.
    var boundHost: String { host == "localhost" ? "127.0.0.1" : host }

    /// What to bind.
    var bound: BindAddress {
        socketPath.map { .unixDomainSocket(path: $0) } ?? .hostname(boundHost, port: port)
    }

    /// The socket's path; or host and port, with brackets where the host has colons.
    public var description: String { socketPath ?? (host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)") }
}
