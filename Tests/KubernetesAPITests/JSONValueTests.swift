@testable import KubernetesAPI
import Testing

/// Objects of the API as they are read and written back.
@Suite("JSON of the Kubernetes API") struct JSONValueTests {
    @Test("What is read is written back with every member and number as it was")
    func roundTrip() throws {
        let text = #"{"a":[1,-2.50,1e3,true,false,null,"x"],"b":{"c":{}},"d":9007199254740993}"#
        #expect(String(decoding: try JSONValue(parsing: Array(text.utf8)).bytes, as: UTF8.self) == text)
    }

    @Test(
        "Texts are read as the API server reads them",
        arguments: [
            (#""a\u0000b""#, "a\u{0}b"), (#""\ud83d\ude00""#, "😀"), (#""\ud83d""#, "\u{FFFD}"),
            (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\udc00x""#, "\u{FFFD}x"),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            ("\"é\"", "é"),
        ])
    func texts(text: String, expected: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(value.string == expected)
        #expect(try JSONValue(parsing: value.bytes) == value)
    }

    @Test("Of members with one name the last counts, and bytes that are no UTF-8 are repaired")
    func repaired() throws {
        #expect(try JSONValue(parsing: Array(#"{"a":1,"a":2}"#.utf8))["a"]?.integer == 2)
        #expect(try JSONValue(parsing: [0x22, 0xFF, 0x22]).string == "\u{FFFD}")
    }

    @Test(
        "What is no JSON is refused",
        arguments: [
            "", " ", "{", "[1", #"{"a"}"#, #"{"a":}"#, "[1,]", "{,}", "01", "1.", "-", "+1", "1e", "tru", "nul", "\"a",
            #""\x""#, #""\u12g4""#, #""\u12"#, "\"\n\"", "1 2", "{}{}", "'a'", #"{"a":1,}"#, "{1:2}",
        ])
    func refused(text: String) {
        #expect(throws: JSONValue.Unreadable.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test("Nesting is read to a depth, and kept as it is below it") func depth() throws {
        let deep = { (count: Int) in
            Array((String(repeating: "[", count: count) + String(repeating: "]", count: count)).utf8)
        }
        _ = try JSONValue(parsing: deep(JSONValue.maximumDepth))
        // One object that is nested deeper must not make a list unreadable, nor lose anything when it is written back.
        let hidden =
            #"{"a":[{"x":"]}\"[","y":\#(String(repeating: "[", count: 90) + String(repeating: "]", count: 90))}],"b":1}"#
        let read = try JSONValue(parsing: Array(hidden.utf8))
        #expect(read["b"]?.integer == 1 && read.bytes == Array(hidden.utf8))
        for count in [JSONValue.maximumDepth + 1, 100_000] {
            #expect(try JSONValue(parsing: deep(count)).bytes == deep(count))
            #expect(throws: JSONValue.Unreadable.self) { try JSONValue(parsing: deep(count).dropLast()) }
            #expect(throws: JSONValue.Unreadable.self) { try JSONValue(parsing: deep(count) + [0x5D]) }
        }
        #expect(throws: JSONValue.Unreadable.self) {
            try JSONValue(parsing: Array(String(repeating: #"{"a":"#, count: 100_000).utf8))
        }
    }

    @Test("Values are counted, so that a short text does not take much memory") func count() throws {
        let text = Array("[{},{},1,\"a\"]".utf8)
        _ = try JSONValue(parsing: text, maximumValueCount: 5)
        #expect(throws: JSONValue.Unreadable.self) { try JSONValue(parsing: text, maximumValueCount: 4) }
    }

    @Test("Every beginning of a text is read or refused, and nothing else happens") func prefixes() {
        let text = Array(#"{"a":["\u00e9\ud83d\ude00",-1.5e+3,true,null],"b":"\\"}"#.utf8)
        for count in text.indices {
            #expect(throws: JSONValue.Unreadable.self) { try JSONValue(parsing: Array(text[..<count])) }
        }
    }
}
