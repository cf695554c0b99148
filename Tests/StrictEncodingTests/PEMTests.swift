import Fixtures
import StrictEncoding
import Testing

@Suite("Textual encodings (RFC 7468)")
struct PEMTests {
    private static let one = PEM.Block(label: "CERTIFICATE REQUEST", content: Array(0..<100))
    private static let two = PEM.Block(label: "CARNET PASSPORT", content: Array(0..<48))

    private func blocks(_ text: String, bytes: Int = 65_536, count: Int = 2) throws -> [PEM.Block] {
        try PEM.blocks(in: Array(text.utf8), maximumByteCount: bytes, maximumCount: count)
    }

    private func fault(_ text: String, bytes: Int = 65_536, count: Int = 2) -> PEM.ParseError? {
        do throws(PEM.ParseError) {
            _ = try PEM.blocks(in: Array(text.utf8), maximumByteCount: bytes, maximumCount: count)
            return nil
        } catch {
            return error
        }
    }

    @Test("Blocks are read as they were written, with either end of line", arguments: [1, 47, 48, 49, 96, 1000])
    func good(count: Int) throws {
        let block = PEM.Block(label: "CERTIFICATE REQUEST", content: [UInt8](repeating: 0x5A, count: count))
        #expect(block.text.split(separator: "\n").dropFirst().dropLast().allSatisfy { $0.count <= 64 })
        #expect(try blocks(block.text + Self.two.text) == [block, Self.two])
        #expect(try blocks((block.text + Self.two.text).replacing("\n", with: "\r\n")) == [block, Self.two])
        #expect(try blocks(String(block.text.dropLast())) == [block], "the last end may be missing")
        #expect(try blocks("").isEmpty)
    }

    @Test("Nothing stands before, between, in or after blocks")
    func strangers() {
        let text = Self.one.text
        for spoiled in [
            "\n" + text, " " + text, "notes\n" + text, text + "\n", text + "notes", text + "\n" + Self.two.text,
            text.replacing("-----\n", with: "-----\nProc-Type: 4,ENCRYPTED\n\n", maxReplacements: 1),
            text.replacing("-----\n", with: "-----\n\n", maxReplacements: 1),
            text.replacing("-----\n", with: "----- \n", maxReplacements: 1),
            text.replacing("\n-----END", with: "\n\n-----END"), text.replacing("\n", with: "\r"),
            text.replacing("\n", with: "\n "), "\u{FEFF}" + text, text.replacing("\n", with: " \n"),
        ] {
            #expect(fault(spoiled) != nil, "\(spoiled)")
        }
    }

    @Test("A block has two marks that say the same, and a label that can be one")
    func marks() {
        let text = Self.one.text
        for spoiled in [
            text.replacing("END CERTIFICATE REQUEST", with: "END CERTIFICATE"),
            text.replacing("CERTIFICATE REQUEST", with: "certificate request"),
            text.replacing("CERTIFICATE REQUEST", with: "CERTIFICATE  REQUEST"),
            text.replacing("CERTIFICATE REQUEST", with: " CERTIFICATE REQUEST"),
            text.replacing("CERTIFICATE REQUEST", with: ""),
            text.replacing("CERTIFICATE REQUEST", with: String(repeating: "A", count: 65)),
            text.replacing("-----BEGIN", with: "----BEGIN"), text.replacing("-----BEGIN", with: "------BEGIN"),
            String(text.prefix(text.count - 30)), "-----BEGIN CERTIFICATE REQUEST-----",
            "-----END CERTIFICATE REQUEST-----\n",
        ] {
            #expect(fault(spoiled) != nil, "\(spoiled)")
        }
    }

    @Test("Content is base64 in its one spelling, in lines of 64")
    func content() {
        func block(_ lines: String...) -> String {
            (["-----BEGIN A-----"] + lines + ["-----END A-----"]).joined(separator: "\n") + "\n"
        }
        let full = String(repeating: "A", count: 64)
        #expect(fault(block("AAAA")) == nil && fault(block(full, "AA==")) == nil && fault(block(full, full)) == nil)
        for spoiled in [
            block(), block(""), block("AAA"), block("AA="), block("AB=="), block("A_-A"), block("AAAA", "AAAA"),
            block(full + "AAAA"), block(String(full.dropLast(4)), full), block("AAAA="), block("AA==", "AAAA"),
            block("AA==AAAA"), block(full, ""),
        ] {
            #expect(fault(spoiled) != nil, "\(spoiled)")
        }
    }

    @Test("Size and number are bounded, and an error names its line")
    func bounds() throws {
        let text = Self.one.text + Self.two.text
        #expect(fault(text, bytes: text.utf8.count) == nil)
        #expect(fault(text, bytes: text.utf8.count - 1)?.line == 1)
        #expect(fault(text, count: 1)?.line == 6)
        #expect(fault(text + "x")?.description.hasPrefix("line 9: ") == true)
    }
}
