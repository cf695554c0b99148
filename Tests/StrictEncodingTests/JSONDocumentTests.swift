import StrictEncoding
import Testing

@Suite("Strict JSON")
struct JSONDocumentTests {
    private func parse(_ text: String, depth: Int = 4, size: Int = 1000) throws(JSONError) -> JSONNode {
        try JSONDocument(parsing: Array(text.utf8), maximumByteCount: size, maximumDepth: depth).root
    }

    @Test("Values are read as what they are and as nothing else")
    func reading() throws {
        let root = try parse(
            #"{"s":"\u00e9","i":-7,"r":1.0,"e":1e3,"t":true,"f":false,"n":null,"a":[1,"x"],"o":{"p":1}}"#)
        #expect(root["s"]?.string == "é")
        #expect(root["i"]?.integer == -7)
        #expect(root["r"]?.integer == nil && root["r"]?.number == 1)
        #expect(root["e"]?.integer == nil && root["e"]?.number == 1000)
        #expect(root["t"]?.boolean == true && root["f"]?.boolean == false && root["n"]?.isNull == true)
        #expect(root["a"]?.elements?.map(\.kind) == ["integer", "string"])
        #expect(root["o"]?["p"]?.integer == 1)
        #expect(root["missing"] == nil && root["s"]?["p"] == nil && root["i"]?.string == nil)
        #expect(root.members?.map(\.name) == ["s", "i", "r", "e", "t", "f", "n", "a", "o"])
        #expect(root.count == 9 && root["a"]?.count == 2 && root["s"]?.count == 0)
    }

    @Test("A string is compared byte by byte, and a name with a NUL names nothing")
    func comparison() throws {
        let root = try parse(#"{"e":"caf\u00e9","n":"","1":1,"a":"x"}"#)
        #expect(root["e"]?.isString(equalTo: "caf\u{E9}") == true)
        #expect(root["e"]?.isString(equalTo: "cafe\u{301}") == false)
        #expect(root["e"]?.isString(equalTo: "caf") == false)
        #expect(root["n"]?.isString(equalTo: "") == true && root["1"]?.isString(equalTo: "1") == false)
        #expect(root["a\0b"] == nil && root["a"] != nil)
    }

    @Test("A node outlives the name of its document")
    func lifetime() throws {
        var nodes: [JSONNode] = []
        for number in 0..<100 { nodes += try parse(#"{"v":["\#(number)"]}"#)["v"]?.elements ?? [] }
        #expect(nodes.map(\.string) == (0..<100).map(String.init))
    }

    @Test(
        "A member that occurs twice is refused at any depth",
        arguments: [#"{"a":1,"a":1}"#, #"{"o":[{"a":1,"\u0061":2}]}"#])
    func duplicates(text: String) {
        #expect(throws: JSONError(.duplicateMember, byteOffset: 0, "")) { try parse(text) }
    }

    @Test(
        "What RFC 8259 does not allow is refused, and so are NUL, large integers and scalars at the top",
        arguments: [
            "", " ", "{", "[1,]", "{} ,", "{}{}", "1", "\"s\"", "null", #"{"a":"\u0000"}"#,
            #"{"a":9223372036854775808}"#,
            #"{"a":1e400}"#, #"{"a":01}"#, #"{'a':1}"#, #"{"a":NaN}"#, "{\"a\":\"\u{1}\"}", "[\"\\\"]", "\u{FEFF}{}",
            "[1\0]", "[1,null\0 ]", "[]\0",
        ])
    func malformed(text: String) {
        #expect(throws: JSONError(.malformed, byteOffset: 0, "")) { try parse(text) }
    }

    @Test("Bytes that are not UTF-8 are refused")
    func badUTF8() {
        let bytes = Array(#"{"a":""#.utf8) + [0xC0, 0x80] + Array(#""}"#.utf8)
        #expect(throws: JSONError.self) { try JSONDocument(parsing: bytes, maximumByteCount: 100) }
    }

    @Test("Depth is bounded, and brackets inside strings do not count")
    func depth() throws {
        #expect(throws: Never.self) { try parse("[[[[]]]]") }
        #expect(throws: JSONError(.tooDeep, byteOffset: 0, "")) { try parse("[[[[[]]]]]") }
        #expect(throws: JSONError(.tooDeep, byteOffset: 0, "")) { try parse(String(repeating: "[", count: 999)) }
        #expect(try parse(#"["[[[[[[\"[[[[\\"]"#).count == 1)
        #expect(throws: JSONError(.tooDeep, byteOffset: 0, "")) { try parse(#"["\\",[[[[]]]]]"#) }
        #expect(throws: JSONError(.tooDeep, byteOffset: 0, "")) { try parse(#"["\"",[[[[]]]]]"#) }
        #expect(throws: JSONError.self) { try parse(#"["\"#) }
    }

    @Test("The number of values is bounded, whatever they are and however they nest; those inside strings do not count")
    func values() throws {
        func parse(_ text: String, _ values: Int) throws(JSONError) {
            _ = try JSONDocument(parsing: Array(text.utf8), maximumByteCount: 1000, maximumValueCount: values)
        }
        for (text, count) in [
            ("[]", 2), ("[1]", 2), ("[1,2,3]", 4), (#"{"a":1,"b":[2,{"c":3}]}"#, 6), (#"[",,,[[{{\",,"]"#, 2),
        ] {
            #expect(throws: Never.self) { try parse(text, count) }
            #expect(throws: JSONError(.tooLarge, byteOffset: 0, "")) { try parse(text, count - 1) }
        }
    }

    @Test("Size is bounded before anything is read")
    func size() {
        #expect(throws: JSONError(.tooLarge, byteOffset: 0, "")) { try parse("[1]", size: 2) }
        #expect(throws: Never.self) { try parse("[1]", size: 3) }
    }
}
