import CarnetService
import Testing

@Suite struct ListenAddressTests {
    @Test(
        "Addresses are read with their port",
        arguments: [
            ("127.0.0.1:8443", "127.0.0.1", 8443, true), ("localhost:0", "localhost", 0, true),
            ("[::1]:443", "::1", 443, true), ("127.9.8.7:1", "127.9.8.7", 1, true),
            ("0.0.0.0:80", "0.0.0.0", 80, false),
            ("[::]:80", "::", 80, false), ("127.evil.example:80", "127.evil.example", 80, false),
            ("127.0.0.1.example:80", "127.0.0.1.example", 80, false), ("127.0.0.256:80", "127.0.0.256", 80, false),
            ("LOCALHOST.example:80", "LOCALHOST.example", 80, false), ("128.0.0.1:80", "128.0.0.1", 80, false),
        ])
    func reading(_ text: String, _ host: String, _ port: Int, _ isLoopback: Bool) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.isLoopback == isLoopback)
        #expect(address.description == text)
    }

    @Test(
        "What is no address is not read", arguments: ["", "localhost", ":80", "a:", "a:65536", "a:-1", "::1:80", "a:x"])
    func refusing(_ text: String) { #expect(ListenAddress(text) == nil) }
}
