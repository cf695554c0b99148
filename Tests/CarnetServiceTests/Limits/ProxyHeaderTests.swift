@testable import CarnetService
import Fixtures
import Logging
import ServiceHarness
import Testing

/// What proxies say at the beginning of a connection, and what nobody may say there.
@Suite("The PROXY protocol", .timeLimit(.minutes(2))) struct ProxyHeaderTests {
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let four: [UInt8] = [192, 0, 2, 7, 192, 0, 2, 8, 0x9C, 0x40, 0x01, 0xBB]
    private static let six: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 9, count: 16)
        + [0x9C, 0x40, 0x01, 0xBB]

    /// Version 2: command, family, and what follows.
    private static func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(rest.count >> 8), UInt8(rest.count & 0xFF)] + rest
    }

    static let good: [(bytes: [UInt8], source: String?)] = [
        (Array("PROXY TCP4 192.0.2.7 192.0.2.8 40000 443\r\n".utf8), "192.0.2.7"),
        (Array("PROXY TCP6 2001:db8::7 2001:db8::8 0 65535\r\n".utf8), "2001:db8::7"),
        (Array("PROXY UNKNOWN\r\n".utf8), nil), (Array("PROXY UNKNOWN what ever\r\n".utf8), nil),
        (binary(0x21, 0x11, four), "192.0.2.7"), (binary(0x21, 0x21, six), "2001:db8::7"),
        (binary(0x21, 0x11, four + [4, 0, 0, 1, 0, 2, 0x68, 0x32]), "192.0.2.7"), (binary(0x20, 0x00, []), nil),
        (binary(0x20, 0x11, four), nil), (binary(0x21, 0x00, [1, 2, 3]), nil),
        (binary(0x21, 0x11, four + [4, 0x0F, 0xD1] + [UInt8](repeating: 0, count: 4049)), "192.0.2.7"),
    ]

    @Test("Both versions are read to their end, and every beginning of them waits for more", arguments: good)
    func accepted(_ bytes: [UInt8], _ source: String?) {
        let header = ProxyHeader(source: source.flatMap { IPAddress($0) }, byteCount: bytes.count)
        #expect(ProxyHeader.read(bytes) == .header(header))
        #expect(ProxyHeader.read(bytes + [0x16, 0x03, 0x01]) == .header(header))
        for count in bytes.indices { #expect(ProxyHeader.read(bytes.prefix(count)) == .incomplete, "\(count)") }
    }

    static let spoiledText: [[UInt8]] = [
        "GET / HTTP/1.1\r\n", "PROXY", "PROXY  TCP4 192.0.2.7 192.0.2.8 40000 443\r\n",
        "PROXY TCP4 192.0.2.7 192.0.2.8 40000\r\n", "PROXY TCP4 192.0.2.7 192.0.2.8 40000 443 \r\n",
        "PROXY TCP4 192.0.2.7 192.0.2.8 40000 65536\r\n", "PROXY TCP4 192.0.2.7 192.0.2.8 040 443\r\n",
        "PROXY TCP4 192.0.2.7 192.0.2.8 +40 443\r\n", "PROXY TCP4 192.0.2.7 192.0.2 40000 443\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::8 1 2\r\n", "PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n",
        "PROXY TCP5 192.0.2.7 192.0.2.8 1 2\r\n", "PROXY tcp4 192.0.2.7 192.0.2.8 1 2\r\n",
        "PROXY TCP4 192.0.2.7 192.0.2.8 40000 443\n", "PROXY TCP4 192.0.2.7\r192.0.2.8 40000 443\r\n",
        "PROXY UNKNOWN \u{0}\r\n", "PROXY UNKNOWN " + String(repeating: "x", count: 100) + "\r\n", "proxy UNKNOWN\r\n",
    ].map { Array($0.utf8) }

    static let spoiledBinary: [[UInt8]] = [
        binary(0x11, 0x11, four), binary(0x31, 0x11, four), binary(0x22, 0x11, four), binary(0x21, 0x12, four),
        binary(0x21, 0x31, four), binary(0x21, 0x11, Array(four.dropLast())),
        binary(0x21, 0x21, Array(six.dropLast())),
        binary(0x21, 0x21, four), binary(0x21, 0x11, four + [4]), binary(0x21, 0x11, four + [4, 0]),
        binary(0x21, 0x11, four + [4, 0, 1]), binary(0x20, 0x11, [UInt8](repeating: 0, count: 4081)),
        [0x0D, 0x0A, 0x0D, 0x0B], [0x16, 0x03, 0x01],
    ]

    @Test("Everything else is refused, however much more comes", arguments: spoiledText + spoiledBinary) func refused(
        _ bytes: [UInt8]
    ) {
        let padded = bytes + [UInt8](repeating: 0x78, count: 8192)
        #expect(ProxyHeader.read(padded) == .refused)
    }

    @Test("Every flipped bit of a header is another header, or none") func flipped() {
        for (bytes, _) in Self.good {
            for bit in 0..<min(bytes.count, 64) * 8 {
                var other = bytes
                other[bit / 8] ^= 1 << UInt8(bit % 8)
                if case .header(let header) = ProxyHeader.read(other) { #expect(header.byteCount <= other.count) }
            }
        }
    }

    @Test("A connection counts for whom the header names; without a header, or past the proxy, it is closed")
    func service() async throws {
        let log = LogLines(), registry = MetricRegistry(RequestMetrics.families)
        var limits = ServiceLimits()
        limits.trustedProxies = ["127.0.0.1", "127.0.0.9"].compactMap { AddressRange($0) }
        limits.proxyProtocol = true
        limits.connectionCountPerClient = 2
        limits.clientRate = RateLimit(perMinute: 1, burst: 2)
        try await withService([hello(.public)], limits: limits, metrics: registry, logger: log.logger(.trace)) {
            client in
            func status(_ header: String, from source: String = "127.0.0.1", _ fields: String = "") async throws
                -> String
            {
                let connection = try RawConnection(port: client.port, from: source)
                connection.send(header)
                return String(await connection.get("/hello", fields).prefix(12))
            }
            func tcp(_ address: String) -> String { "PROXY TCP4 \(address) 192.0.2.1 1 2\r\n" }
            // Two of each client, and the proxy's own address has no part in it.
            for address in ["198.51.100.1", "198.51.100.2"] {
                for expected in ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 429"] {
                    #expect(try await status(tcp(address)) == expected)
                }
            }
            // The client's own X-Forwarded-For is not read; that of a proxy behind the proxy is.
            #expect(try await status(tcp("198.51.100.1"), "X-Forwarded-For: 198.51.100.9\r\n") == "HTTP/1.1 429")
            #expect(try await status(tcp("127.0.0.9"), "X-Forwarded-For: 198.51.100.3\r\n") == "HTTP/1.1 200")
            // The proxy itself, when it asks how we are.
            #expect(try await status("PROXY UNKNOWN\r\n") == "HTTP/1.1 200")
            // Clients of whom it says nothing count as the proxy, whatever they write themselves.
            #expect(try await status("PROXY UNKNOWN\r\n", "X-Forwarded-For: 198.51.100.41\r\n") == "HTTP/1.1 200")
            #expect(try await status("PROXY UNKNOWN\r\n", "X-Forwarded-For: 198.51.100.42\r\n") == "HTTP/1.1 429")
            for (header, source) in [("", "127.0.0.1"), (tcp("198.51.100.7"), "127.0.0.2"), ("GARBAGE ", "127.0.0.1")] {
                #expect(try await status(header, from: source) == "", "\(header)")
            }
            // A header that comes byte after byte, and one connection too many of one client: the first makes room.
            let slow = try RawConnection(port: client.port)
            for byte in tcp("198.51.100.20") {
                slow.send(String(byte))
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(await slow.get("/hello").hasPrefix("HTTP/1.1 200"))
            let waiting = try (0..<3).map { _ in try RawConnection(port: client.port) }
            for connection in waiting {
                connection.send(tcp("198.51.100.30"))
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await eventually { waiting[0].isClosed } && !waiting[1].isClosed && !waiting[2].isClosed)
        }
        let text = String(decoding: PrometheusText.render(registry), as: UTF8.self)
        #expect(text.contains("reason=\"proxy-header\"} 3"), "\(text)")
    }
}
