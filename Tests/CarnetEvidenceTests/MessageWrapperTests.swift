import CarnetEvidence
import CarnetTesting
import StrictEncoding
import Testing

@Suite("Evidence in a conceptual message wrapper")
struct MessageWrapperTests {
    private let evidence: Evidence

    init() throws {
        let machine = try ForgedMachine()
        evidence = try machine.evidence(machine.challenge())
    }

    private var record: String { #"["\#(Evidence.mediaType)","\#(Base64URL.encode(evidence.bytes))",4]"# }

    private func read(_ text: String, as form: Evidence.Form? = nil) throws(EvidenceError) -> Evidence {
        try Evidence(parsing: Array(text.utf8), as: form)
    }

    /// The member at fault; `nil` where nothing is.
    private func member(_ text: String, as form: Evidence.Form? = .wrapped) -> String? {
        do throws(EvidenceError) {
            _ = try read(text, as: form)
            return nil
        } catch {
            #expect(!error.reason.isEmpty)
            return error.member
        }
    }

    @Test(
        "A collection may hold the record, under any label, with its type or without",
        arguments: [
            #"{"evidence":R}"#, #"{"ak":R}"#, #"{"__cmwc_t":"tag:example.com,2026:node#1","x":R}"#,
            #"{"x":R,"__cmwc_t":"1.3.6.1.4.1.1"}"#, #"{"__cmwc_t":"https://example.com/a?b","x":R}"#,
            #"{"a":{"b":R}}"#, #"{"a":{"__cmwc_t":"urn:x","b":{"c":R}}}"#,
        ])
    func collection(_ template: String) throws {
        let text = template.replacing("R", with: record)
        #expect(try read(text) == evidence)
        #expect(try read(text, as: .wrapped) == evidence)
        #expect(throws: EvidenceError.self) { try read(text, as: .plain) }
    }

    @Test(
        "A spoilt collection names what is wrong",
        arguments: [
            ("{}", ""), (#"{"__cmwc_t":"urn:x"}"#, ""), (#"{"a":R,"b":R}"#, ""),
            (#"{"a":R,"b":["text/plain","AA"]}"#, ""),
            (#"{"a":{}}"#, "a"), (#"{"a":[]}"#, "a"), (#"{"a":7}"#, "a"), (#"{"a":null}"#, "a"), (#"{"a":"x"}"#, "a"),
            (#"{"":R}"#, ""), (#"{"__x":R}"#, ""), (#"{"a":["text/plain","AA"]}"#, "a[0]"),
            (#"{"a":{"b":["\#(Evidence.mediaType)","A"]}}"#, "a.b[1]"),
            (#"{"a":["\#(Evidence.mediaType)","AA",8]}"#, "a[2]"),
            (#"{"__cmwc_t":"x","a":R}"#, "__cmwc_t"), (#"{"__cmwc_t":"","a":R}"#, "__cmwc_t"),
            (#"{"__cmwc_t":"a b:c","a":R}"#, "__cmwc_t"), (#"{"__cmwc_t":"1..2","a":R}"#, "__cmwc_t"),
            (#"{"__cmwc_t":"1:x","a":R}"#, "__cmwc_t"), (#"{"__cmwc_t":"urn:","a":R}"#, "__cmwc_t"),
            (#"{"__cmwc_t":7,"a":R}"#, "__cmwc_t"), (#"{"__cmwc_t":["urn:x"],"a":R}"#, "__cmwc_t"),
            (#"{"a":R,"a":R}"#, ""), (#"{"a":{"b":{"c":{"d":R}}}}"#, ""), (#"{"a":R}x"#, ""),
        ])
    func spoilt(_ template: String, _ expected: String) {
        #expect(member(template.replacing("R", with: record)) == expected)
    }

    @Test("A long collection type is refused") func longType() {
        func text(_ count: Int) -> String {
            #"{"__cmwc_t":"urn:\#(String(repeating: "x", count: count - 4))","a":\#(record)}"#
        }
        #expect(member(text(255)) == nil)
        #expect(member(text(256)) == "__cmwc_t")
    }

    @Test("What a media type says is what is read") func form() throws {
        let envelope = String(decoding: evidence.bytes, as: UTF8.self)
        #expect(try read(envelope, as: .plain) == evidence)
        #expect(try read(record, as: .wrapped) == evidence)
        #expect(member(record, as: .plain) == "")
        #expect(member(envelope, as: .wrapped) == "")
        // Nothing is unwrapped twice.
        let twice = #"["\#(Evidence.mediaType)","\#(Base64URL.encode(Array(record.utf8)))"]"#
        #expect(member(twice) != nil)
    }
}
