import Fixtures
import Foundation
import ServiceHarness

/// HAProxy of Debian's package in front of several verifiers: every request goes to the next one that says that it is ready.
final class LoadBalancer: Sendable {
    /// Whether tests can have one; where witnesses are required, they run and fail without it.
    static var isInstalled: Bool { Witness.areRequired || FileManager.default.isExecutableFile(atPath: path) }
    /// What a skipped test prints.
    static let skipReason = "skipped: haproxy is not installed (make packages installs it)"

    private static let path = "/usr/sbin/haproxy"

    /// Where it listens on loopback.
    let port: Int
    private let running: Program.Running
    private let folder: TemporaryDirectory

    /// Starts it.
    ///
    /// - Parameters:
    ///   - ports: Where the verifiers listen on loopback, now or later.
    ///   - header: Whether each connection begins with a PROXY header of version 2, that of the questions after their health among them.
    init(to ports: [Int], sendingHeader header: Bool = false) throws {
        port = try FreePort.take()
        folder = try TemporaryDirectory()
        let servers = ports.enumerated().map { index, port in
            "  server verifier\(index) 127.0.0.1:\(port) check inter 50 fall 1 rise 1\(header ? " send-proxy-v2" : "")"
        }
        // What reached a verifier is never sent to another one on its behalf: that is the client's decision.
        let text = """
            global
              maxconn 2000
            defaults
              mode http
              timeout connect 1s
              timeout client 30s
              timeout server 30s
              timeout check 2s
              retries 2
              option redispatch
              retry-on conn-failure
            frontend verifiers
              bind 127.0.0.1:\(port)
              default_backend verifiers
            backend verifiers
              balance roundrobin
              option httpchk GET /readyz
            \(servers.joined(separator: "\n"))

            """
        let configuration = try folder.write(Array(text.utf8), "haproxy.cfg")
        running = try Program(path: Self.path).start(
            ["-db", "-f", configuration], log: folder.path + "/log")
    }

    /// Calls the verifiers.
    var client: ServiceClient { ServiceClient(port: port) }
}
