import CarnetService
import Testing

@testable import CarnetRecords
@testable import CarnetVerifier

/// Where messages may go.
@Suite struct ReceiverRulesTests {
    private static let loopback = ReceiverRules(allowing: ["127.0.0.0/8", "::1"].compactMap { AddressRange($0) })

    @Test(
        "Addresses that are not in the public internet are refused",
        arguments: [
            "0.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.255.0.9", "169.254.169.254",
            "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
            "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
            "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001::1",
            "2001:10::1",
            "2001:db8::1", "2002:a00:1::1", "3fff::1", "4000::1",
        ])
    func refused(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!ReceiverRules().allows(address))
        let exception = try #require(AddressRange(text))
        #expect(ReceiverRules(allowing: [exception]).allows(address))
    }

    @Test(
        "Addresses of the public internet are allowed",
        arguments: [
            "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
            "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
            "2001:200::1", "::ffff:1.1.1.1",
        ])
    func allowed(_ text: String) throws {
        #expect(ReceiverRules().allows(try #require(IPAddress(text))))
    }

    @Test(
        "What is no address in its one form is none",
        arguments: [
            "", "1", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "127.0.0.1.", "127.0.0.01", " 127.0.0.1",
            "1.2.3.256",
            "fe80::1%eth0", "[::1]", "::1::", "12345::", "127.0.0.1\u{0}",
        ])
    func noAddress(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test(
        "What is no range is none",
        arguments: [
            "", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.1/8", "::/129", "10/8", "/8",
            "10.0.0.0/008/",
        ])
    func noRange(_ text: String) { #expect(AddressRange(text) == nil) }

    @Test("A range holds what begins as it does, in its own family") func ranges() throws {
        let range = try #require(AddressRange("10.32.0.0/11"))
        for (text, isIn) in [
            ("10.32.0.0", true), ("10.63.255.255", true), ("10.31.255.255", false), ("10.64.0.0", false),
        ] {
            #expect(range.contains(try #require(IPAddress(text))) == isIn, "\(text)")
        }
        let everything = try #require(AddressRange("0.0.0.0/0"))
        #expect(everything.contains(try #require(IPAddress("::ffff:1.2.3.4"))))
        #expect(!everything.contains(try #require(IPAddress("2001:db8::1"))))
    }

    @Test(
        "A URL that could be read in two ways, or leads inside, is refused",
        arguments: [
            "", "pager.example", "ftp://pager.example", "http://pager.example/", "https://", "https:///x", "https:/x",
            "https://user@pager.example/", "https://user:word@pager.example/", "https://pager.example#x",
            "https://pager.example/#", "https://pager.example:0/", "https://pager.example:65536/",
            "https://pager.example:/", "https://pager.example:+1/", "https://pager.example:1:2/", "https://127.0.0.1/",
            "https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://0177.0.0.1/", "https://[::1]/",
            "https://[::ffff:10.0.0.1]/", "https://[1.2.3.4]/", "https://[fe80::1%25eth0]/", "https://[::1",
            "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://x.0x7f/", "https://a..b/",
            "https://-a.b/", "https://a-.b/", "https://a_b.c/", "https://a.b./", "https://a\\b/", "https://a b/",
            "https://a.b/\r\nx: y", "https://a.b/%", "https://a.b/%2", "https://a.b/%zz", "https://a.b/[",
            "https://ä.b/",
            "https://a.b/é", "https://%61.b/", "HTTPS//a.b", "https://" + String(repeating: "a", count: 64) + ".b/",
            "https://a.b/" + String(repeating: "x", count: 2048), "http://127.0.0.1/",
        ])
    func badURL(_ text: String) {
        #expect(throws: WebhookURL.Unusable.self) { try WebhookURL(text, ReceiverRules()) }
    }

    @Test("A URL is kept in one form") func goodURL() throws {
        let url = try WebhookURL("HTTPS://Pager.Example:8443/In/?a=%2Fb", ReceiverRules())
        #expect(
            url.text == "https://pager.example:8443/In/?a=%2Fb" && url.host == "pager.example" && url.address == nil)
        #expect(url.origin == "https://pager.example:8443")
        #expect(try WebhookURL("https://pager.example?x", ReceiverRules()).text == "https://pager.example/?x")
        #expect(try WebhookURL("https://1.1.1.1", ReceiverRules()).text == "https://1.1.1.1/")
        #expect(try WebhookURL("https://[2606:4700:0::1111]/", ReceiverRules()).text == "https://[2606:4700::1111]/")
        #expect(try WebhookURL("http://[::1]:80/x", Self.loopback).isSecure == false)
        #expect(try WebhookURL("http://127.0.0.1:80/x", Self.loopback).isSecure == false)
        // Without TLS loopback alone, whatever is allowed; and a name is no address.
        let all = ReceiverRules(allowing: ["0.0.0.0/0", "::/0"].compactMap { AddressRange($0) })
        #expect(throws: WebhookURL.Unusable.self) { try WebhookURL("http://10.0.0.1/", all) }
        #expect(throws: WebhookURL.Unusable.self) { try WebhookURL("http://localhost/", all) }
    }
}
