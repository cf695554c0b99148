@testable import CarnetService
import HTTPTypes
import Testing

@Suite struct AddressTests {
    @Test(
        "What is no address is none",
        arguments: [
            "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4 ", "1.2.3.4:80", "::1%lo", "[::1]", "1::2::3",
            "localhost",
            "1.2.3.4\u{0}", "::1\u{0}x", "01.2.3.4", "0x1.2.3.4", "12345::", String(repeating: "1", count: 200),
        ])
    func noAddress(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test("Both spellings of an IPv4 address are one address, and one client") func mapped() throws {
        let plain = try #require(IPAddress("192.0.2.7"))
        #expect(IPAddress("::ffff:192.0.2.7") == plain && IPAddress("::FFFF:c000:207") == plain)
        #expect(plain.isIPv4 && plain.client == plain && plain != IPAddress("192.0.2.8"))
        #expect(IPAddress("::c000:207") != plain)
    }

    @Test("An IPv6 client is its /64") func prefix() throws {
        let one = try #require(IPAddress("2001:db8:1:2::1")), two = try #require(IPAddress("2001:db8:1:2:ffff::9"))
        let other = try #require(IPAddress("2001:db8:1:3::1"))
        #expect(one != two && one.client == two.client && one.client != other.client)
        #expect(RateKey(one) == RateKey(two) && RateKey(one) != RateKey(other))
    }

    @Test(
        "A range holds what begins like it",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.0.0.2", "10.0.0.2", true),
            ("10.0.0.2", "10.0.0.3", false), ("0.0.0.0/0", "9.9.9.9", true), ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8::8/127", "2001:db8::9", true), ("2001:db8::8/127", "2001:db8::a", false),
            ("::/0", "2001:db8::1", true), ("::/0", "10.0.0.1", true), ("192.0.2.6/31", "::ffff:192.0.2.7", true),
            ("2001:db8:0:1::/64", "2001:db8:0:1:8000::", true), ("2001:db8:0:1::/64", "2001:db8:0:2::", false),
        ])
    func range(_ range: String, _ address: String, _ isIn: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(#require(IPAddress(address))) == isIn)
    }

    @Test(
        "What is no range is none",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.1/8", "::1/129",
            "2001:db8::1/64",
            "10.0.0.0/8/8", "proxy", "10.0.0.0/255.0.0.0",
        ])
    func noRange(_ text: String) { #expect(AddressRange(text) == nil) }

    @Test(
        "The client is the last address that no trusted proxy has, as trusted proxies tell it",
        arguments: [
            // An untrusted peer's word counts for nothing.
            ("198.51.100.9", "1.1.1.1", "198.51.100.9"), ("198.51.100.9", "10.0.0.1", "198.51.100.9"),
            ("10.0.0.1", "198.51.100.9", "198.51.100.9"), ("::ffff:10.0.0.1", "198.51.100.9", "198.51.100.9"),
            // What the client wrote itself stands further to the left.
            ("10.0.0.1", "1.1.1.1, 198.51.100.9", "198.51.100.9"),
            ("10.0.0.1", "10.0.0.2,198.51.100.9", "198.51.100.9"),
            ("10.0.0.1", "198.51.100.9, 10.0.0.3 ,10.0.0.2", "198.51.100.9"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "", "10.0.0.1"), ("10.0.0.1", "unknown", "10.0.0.1"),
            ("10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"),
            ("10.0.0.1", "1.1.1.1, junk, 10.0.0.2", "10.0.0.2"), ("10.0.0.1", "198.51.100.9:1234", "198.51.100.9"),
            ("10.0.0.1", "[2001:db8::7]:99", "2001:db8::7"), ("10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
            ("10.0.0.1", "2001:db8::7", "2001:db8::7"), ("10.0.0.1", "[2001:db8::7]x", "10.0.0.1"),
            ("10.0.0.1", "1.1.1.1:99999", "10.0.0.1"), ("10.0.0.1", "1.1.1.1:", "10.0.0.1"),
            ("10.0.0.1", ",,,", "10.0.0.1"),
        ])
    func forwarded(_ peer: String, _ header: String, _ client: String) throws {
        let proxies = TrustedProxies([try #require(AddressRange("10.0.0.0/24"))])
        var headers = HTTPFields()
        if !header.isEmpty { headers[try #require(HTTPField.Name("x-forwarded-for"))] = header }
        #expect(proxies.client(of: try #require(IPAddress(peer)), headers) == IPAddress(client))
    }

    @Test("Several fields are one list, and a list without end is not read to its end") func fields() throws {
        let proxies = TrustedProxies([try #require(AddressRange("10.0.0.0/24"))])
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        let peer = try #require(IPAddress("10.0.0.1"))
        let two = HTTPFields([
            HTTPField(name: name, value: "1.1.1.1"), HTTPField(name: name, value: "198.51.100.9, 10.0.0.2"),
        ])
        #expect(proxies.client(of: peer, two) == IPAddress("198.51.100.9"))
        let many = "1.1.1.1" + String(repeating: ",10.0.0.2", count: 1000)
        #expect(proxies.client(of: peer, HTTPFields([HTTPField(name: name, value: many)])) == IPAddress("10.0.0.2"))
    }
}
