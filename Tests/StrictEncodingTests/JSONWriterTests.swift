import StrictEncoding
import Testing

@Suite("Writing JSON")
struct JSONWriterTests {
    @Test("Members keep their order and commas stand between them")
    func order() {
        let bytes = JSONWriter.object { writer in
            writer.string("z", "last first")
            writer.object("o") { $0.object("p") { _ in } }
            writer.array("a") { writer in
                writer.element(1)
                writer.object { $0.boolean("b", true) }
                writer.element("x")
            }
            writer.base64URL("k", [0xFB, 0xFF])
            writer.integer("i", -1)
        }
        let expected = #"{"z":"last first","o":{"p":{}},"a":[1,{"b":true},"x"],"k":"-_8","i":-1}"#
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test("Every string is read back as it was", arguments: ["", "\"", "\\", "\n\u{1}\u{1F}", "é😀", "a\"b\\c"])
    func escaping(text: String) throws {
        let bytes = JSONWriter.object { $0.string(named: text, text) }
        let members = try JSONDocument(parsing: bytes, maximumByteCount: 1000).root.members
        #expect(members?.first?.name == text && members?.first?.value.string == text)
    }
}
