import Fixtures
import StrictEncoding
import Testing

/// The reader by hand accepts and reads what jansson does with JSON_REJECT_DUPLICATES, under the same bounds.
@Suite("JSON by index")
struct IndexedJSONTests {
    private func parse(_ text: String, depth: Int = 8) throws(JSONError) -> IndexedJSON.Node {
        try IndexedJSON(parsing: Array(text.utf8), maximumByteCount: 65_536, maximumDepth: depth).root
    }

    @Test("Values are read as what they are and as nothing else")
    func reading() throws {
        let root = try parse(
            #"{"s":"\u00e9\ud83d\ude00","i":-7,"r":1.0,"e":1e3,"t":true,"f":false,"n":null,"a":[1,"x",{}],"o":{"p":1}}"#
        )
        #expect(root["s"]?.string == "é😀" && root["s"]?.isString(equalTo: "é😀") == true)
        #expect(root["i"]?.integer == -7 && root["i"]?.number == -7 && root["i"]?.string == nil)
        #expect(root["r"]?.integer == nil && root["r"]?.number == 1 && root["e"]?.number == 1000)
        #expect(root["t"]?.boolean == true && root["f"]?.boolean == false && root["n"]?.isNull == true)
        #expect(root["a"]?.elements?.map(\.kind) == ["integer", "string", "object"] && root["a"]?.count == 3)
        #expect(root["o"]?["p"]?.integer == 1 && root["o"]?["q"] == nil && root["s"]?["p"] == nil)
        #expect(root.members?.map(\.name) == ["s", "i", "r", "e", "t", "f", "n", "a", "o"] && root.count == 9)
        #expect(root["a"]?["0"] == nil && root["a"]?.members == nil && root.elements == nil)
        #expect(root["s"]?.isString(equalTo: "e\u{301}😀") == false, "compared byte by byte")
    }

    @Test(
        "A member that occurs twice is refused at any depth and in objects of any size",
        arguments: [#"{"a":1,"a":1}"#, #"{"o":[{"a":1,"\u0061":2}]}"#, #"{"":1,"":2}"#, "{\"\u{e9}\":1,\"\\u00e9\":1}"])
    func duplicates(text: String) {
        #expect(throws: JSONError(.duplicateMember, byteOffset: 0, "")) { try parse(text) }
        for count in [14, 15, 16, 17, 40] {
            let others = (0..<count).map { #""m\#($0)":\#($0),"# }.joined()
            let filled = text.replacing("{\"", with: "{" + others + "\"", maxReplacements: 1)
            #expect(throws: JSONError(.duplicateMember, byteOffset: 0, ""), "\(count)") { try parse(filled) }
            #expect(throws: Never.self) { try parse("{" + others + #""z":1}"#) }
        }
    }

    @Test("Depth, values and bytes are bounded as in the other reader")
    func bounds() throws {
        #expect(throws: Never.self) { try parse("[[[[]]]]", depth: 4) }
        #expect(throws: JSONError(.tooDeep, byteOffset: 0, "")) { try parse("[[[[[]]]]]", depth: 4) }
        #expect(throws: JSONError(.tooDeep, byteOffset: 0, "")) { try parse(String(repeating: "[", count: 60_000)) }
        #expect(throws: JSONError(.tooDeep, byteOffset: 0, "")) { try parse("[]", depth: 0) }
        for (text, count) in [
            ("[]", 2), ("[1]", 2), ("[1,2,3]", 4), (#"{"a":1,"b":[2,{"c":3}]}"#, 6), (#"[",,,[[{{\",,"]"#, 2),
        ] {
            func parse(_ values: Int) throws(JSONError) {
                _ = try IndexedJSON(parsing: Array(text.utf8), maximumByteCount: 100, maximumValueCount: values)
            }
            #expect(throws: Never.self) { try parse(count) }
            #expect(throws: JSONError(.tooLarge, byteOffset: 0, "")) { try parse(count - 1) }
        }
        #expect(throws: JSONError(.tooLarge, byteOffset: 0, "")) {
            try IndexedJSON(parsing: Array("[1]".utf8), maximumByteCount: 2)
        }
    }

    @Test("Nasty texts are read or refused as jansson does")
    func nasty() {
        for text in Self.nasty {
            #expect(JSONDifference.between(Array(text.utf8)) == nil, "\(text)")
            // As a value, as a name, and after seven plain bytes, where another path reads it.
            for wrapped in [
                #"{"a":\#(text)}"#, "[\(text)]", #"["\#(text)"]"#, #"{"\#(text)":1}"#, #"["1234567\#(text)"]"#,
            ] {
                #expect(JSONDifference.between(Array(wrapped.utf8)) == nil, "\(wrapped)")
            }
        }
    }

    /// What lists of hostile JSON are made of, written anew.
    private static let nasty: [String] = [
        "", " ", "{", "}", "[", "]", "{}", "[]", "[ ]", "{ }", "[1,]", "[,1]", "[1,,2]", "{,}", #"{"a"}"#, #"{"a":}"#,
        #"{"a":1,}"#,
        #"{"a":1 "b":2}"#, "{a:1}", "{'a':1}", "{1:1}", "[1 2]", "[1][2]", "[]x", "[]\0", "[1\0]", "[null\0 ]",
        "{\"a\"\0:1}", "\u{FEFF}[]", "[\u{B}]",
        "[\u{A0}1]", "[1]\u{2028}",
        "/**/[]", "[]//", "[1]//x", "nul", "nulll", "True", "TRUE", "tru", "truefalse", "NaN", "Infinity", "-Infinity",
        "undefined",
        "0", "-0", "00", "-00", "-", "--1", "+1", ".1", "1.", "1.e1", "1e", "1e+", "1e1.5", "1E+2", "1e00", "0e0",
        "-0e-0", "0.0", "1a", "0x1",
        "1e308", "1.8e308", "1e309", "-1e309", "1e-400", "5e-324", "2.4703282292062327e-324", "9007199254740993.0",
        "1e99999999999999999999",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
        "18446744073709551616", "100000000000000000000",
        "\\u0041", "\\u004", "\\u00G0", "\\U0041", "\\x41", "\\a", "\\'", "\\", "\\\\", "\\\"", "\"", "\\u0000",
        "\\u0001", "\\u001f",
        "\\ud800", "\\ud800\\u0041", "\\ud800\\ud800", "\\udc00", "\\udbff\\udfff", "\\ud83d\\ude00", "\\ud83dx",
        "\\ud83d\\n", "\\ud83d\\u", "\\uFFFE",
        "\t", "\n", "\u{1}", "\u{1F}", "\u{7F}", "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}",
        "\u{10000}", "\u{10FFFF}",
        String(repeating: "[", count: 9), String(repeating: "[", count: 8) + String(repeating: "]", count: 8),
        String(repeating: "x", count: 9000),
    ]

    @Test("Bytes that are not UTF-8 are refused wherever they stand, as jansson does")
    func utf8() {
        let sequences: [[UInt8]] = [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xC2, 0x80], [0xDF, 0xBF],
            [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xEF, 0xBF, 0xBF],
            [0xEF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80],
            [0xF4, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
            [0xF0, 0x9F, 0x98],
            [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28],
        ]
        for sequence in sequences {
            for padding in 0..<9 {
                let plain = [UInt8](repeating: UInt8(ascii: "x"), count: padding)
                for text in [
                    [0x5B, 0x22] + plain + sequence + [0x22, 0x5D], [0x5B] + sequence + [0x5D],
                    [0x5B, 0x5D] + sequence,
                ] {
                    #expect(JSONDifference.between(text) == nil, "\(text)")
                }
            }
        }
    }

    @Test("Random texts, and damaged ones, are read or refused as jansson does", arguments: 0..<8)
    func random(seed: UInt64) {
        var generator = JSONGenerator(seed: seed), accepted = 0
        for _ in 0..<600 {
            let text = generator.document()
            #expect(JSONDifference.between(text) == nil, "\(String(decoding: text, as: UTF8.self))")
            if (try? IndexedJSON(parsing: text, maximumByteCount: 65_536)) != nil { accepted += 1 }
            for _ in 0..<4 {
                let damaged = generator.damage(text)
                #expect(JSONDifference.between(damaged) == nil, "\(damaged)")
            }
        }
        #expect(accepted > 200, "the texts say nothing when too few are JSON: \(accepted)")
    }
}
