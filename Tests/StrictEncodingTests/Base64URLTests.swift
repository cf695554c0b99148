import StrictEncoding
import Testing

@Suite("base64url without padding")
struct Base64URLTests {
    /// RFC 4648 §10, with the padding removed.
    @Test(
        "The vectors of RFC 4648 are written and read",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(plain: String, text: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == text)
        #expect(Base64URL.decode(text) == Array(plain.utf8))
    }

    @Test("Every byte value survives the round trip at every position")
    func roundTrip() {
        for length in 0..<9 {
            for value in UInt8.min...UInt8.max {
                let bytes = (0..<length).map { value &+ UInt8($0) &* 37 }
                #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
                var appended = Array("x".utf8)
                Base64URL.append(bytes, to: &appended)
                #expect(String(decoding: appended.dropFirst(), as: UTF8.self) == Base64URL.encode(bytes))
            }
        }
    }

    @Test(
        "A second spelling of the same bytes is refused",
        arguments: ["Zg==", "Zm8=", "Zh", "Zm9", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm9vY", "Zm9v.", "Zm9\u{E9}", "A"])
    func nonCanonical(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}
