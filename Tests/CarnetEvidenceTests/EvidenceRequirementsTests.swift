import CarnetEvidence
import StrictEncoding
import Testing

@Suite("What a verifier requires beside a quote")
struct EvidenceRequirementsTests {
    private func read(_ text: String) throws -> EvidenceRequirements {
        try EvidenceRequirements(JSONDocument(parsing: Array(text.utf8), maximumByteCount: 4096).root)
    }

    private func member(_ text: String) throws -> String? {
        do {
            _ = try read(text)
            return nil
        } catch let error as EvidenceError {
            return error.member
        }
    }

    @Test("What is written is read again", arguments: EvidenceRequirements.Log.allCases)
    func roundTrip(log: EvidenceRequirements.Log) throws {
        for offset in [nil, 0, 7, 1 << 40] {
            for other in EvidenceRequirements.Log.allCases {
                let requirements = EvidenceRequirements(eventLog: log, runtimeLog: other, imaOffset: offset)
                let text = JSONWriter.object { requirements.write(to: &$0) }
                #expect(try read(String(decoding: text, as: UTF8.self)) == requirements)
            }
        }
    }

    @Test("The members are those of the protocol")
    func members() {
        let all = EvidenceRequirements(eventLog: .required, runtimeLog: .optional, imaOffset: 7)
        #expect(
            JSONWriter.object { all.write(to: &$0) }
                == Array(#"{"event_log":"required","runtime_log":"optional","ima":{"offset":7}}"#.utf8))
        #expect(
            JSONWriter.object { EvidenceRequirements().write(to: &$0) }
                == Array(#"{"event_log":"optional","runtime_log":"none"}"#.utf8))
    }

    @Test("A verifier that says nothing reads the firmware's log where it comes, and nothing else")
    func absent() throws {
        #expect(try read("{}") == EvidenceRequirements(eventLog: .optional, runtimeLog: .none, imaOffset: nil))
    }

    @Test("Other members of a session are others' to read")
    func others() throws {
        #expect(try read(#"{"nonce":"AA","status":"waiting","ima":{"offset":3},"accept":[]}"#).imaOffset == 3)
    }

    @Test(
        "Every way to spoil them names the member",
        arguments: [
            (#"{"event_log":"maybe"}"#, "event_log"), (#"{"event_log":"Required"}"#, "event_log"),
            (#"{"event_log":""}"#, "event_log"), (#"{"event_log":true}"#, "event_log"),
            (#"{"event_log":null}"#, "event_log"), (#"{"event_log":["required"]}"#, "event_log"),
            (#"{"runtime_log":"required "}"#, "runtime_log"), (#"{"runtime_log":0}"#, "runtime_log"),
            (#"{"runtime_log":null}"#, "runtime_log"), (#"{"runtime_log":"ｎone"}"#, "runtime_log"),
            (#"{"ima":null}"#, "ima"), (#"{"ima":0}"#, "ima"), (#"{"ima":"whole"}"#, "ima"), (#"{"ima":[]}"#, "ima"),
            (#"{"ima":{}}"#, "ima.offset"), (#"{"ima":{"offset":null}}"#, "ima.offset"),
            (#"{"ima":{"offset":-1}}"#, "ima.offset"), (#"{"ima":{"offset":1.0}}"#, "ima.offset"),
            (#"{"ima":{"offset":"1"}}"#, "ima.offset"), (#"{"ima":{"offset":1099511627777}}"#, "ima.offset"),
            (#"{"ima":{"offset":1,"count":2}}"#, "ima.count"), ("[]", ""),
        ])
    func spoiled(text: String, path: String) throws { #expect(try member(text) == path, "\(text)") }
}
