import CarnetResult
import StrictEncoding
import Testing

@Suite("Compact JWS")
struct CompactJWSTests {
    private func parse(_ text: String) throws(CompactJWS.ParseError) -> CompactJWS {
        try CompactJWS(parsing: Array(text.utf8))
    }

    @Test("Three segments are taken apart without loss")
    func good() throws {
        let jws = try parse("e30.AQID.AAEC")
        #expect(jws.payload == [1, 2, 3] && jws.signature == [0, 1, 2])
        #expect(Array(jws.headerSegment) == Array("e30".utf8) && Array(jws.payloadSegment) == Array("AQID".utf8))
        #expect(Array(jws.signingInput) == Array("e30.AQID".utf8))
    }

    @Test(
        "What is not one is refused with its reason",
        arguments: [
            ("", CompactJWS.ParseError.segments(1)), ("e30", .segments(1)), ("e30.AQID", .segments(2)),
            ("..", .segments(3)), (".AQID.AAEC", .segments(3)), ("e30..AAEC", .segments(3)),
            ("e30.AQID.", .segments(3)), ("e30.AQID.AAEC.", .segments(4)), ("e30.AQID.AAEC.AAEC", .segments(4)),
            ("e30.AQID.AAEC.AAEC.AAEC", .encrypted), ("e30....", .encrypted), ("a.b.c.d.e.f", .segments(6)),
            ("e30=.AQID.AAEC", .illegalCharacter), ("e 0.AQID.AAEC", .illegalCharacter),
            ("e+0.AQID.AAEC", .illegalCharacter), ("e30.A/ID.AAEC", .illegalCharacter),
            ("e30.AQID.AAEC\n", .illegalCharacter), ("e30.AQID.AAE=", .illegalCharacter),
            ("\u{E9}30.AQID.AAEC", .illegalCharacter), ("e30.AQID.AA\0C", .illegalCharacter),
            ("e30.AQID.AAECA", .encoding), ("e30.AQIDA.AAEC", .encoding), ("e30.AQIDAB.AAEC", .encoding),
            ("e30.AQID.AAECAB", .encoding),
        ])
    func bad(text: String, expected: CompactJWS.ParseError) {
        #expect(throws: expected) { try parse(text) }
    }

    @Test("A token of nothing but dots costs no more than its length")
    func dots() {
        #expect(throws: CompactJWS.ParseError.self) { try parse(String(repeating: ".", count: 100_000)) }
    }
}
