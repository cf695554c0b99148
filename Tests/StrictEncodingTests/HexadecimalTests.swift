import StrictEncoding
import Testing

@Suite("Hexadecimal digits")
struct HexadecimalTests {
    @Test("Every byte is written in lower case and read in either")
    func roundTrip() {
        let bytes = Array(UInt8.min...UInt8.max)
        let text = Hexadecimal.encode(bytes)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff"))
        #expect(Hexadecimal.decode(text) == bytes)
        #expect(Hexadecimal.decode(text.uppercased()) == bytes)
    }

    @Test("Anything but an even number of digits is refused", arguments: ["0", "0g", "0x00", " 00", "00 ", "é0"])
    func malformed(text: String) {
        #expect(Hexadecimal.decode(text) == nil)
    }
}
