import CarnetEvidence
import CarnetTesting
import StrictEncoding
import Testing

/// `runtime_log` and `ima`: every way to spoil them, and their bounds.
@Suite("The logs in an envelope")
struct EnvelopeLogTests {
    private let evidence: Evidence

    init() throws {
        let machine = try ForgedMachine()
        evidence = try machine.evidence(machine.challenge()) {
            $0.log = nil
            $0.runtimeLog = [1, 2, 3]
            $0.ima = Evidence.IMA(offset: 7, entries: [4, 5, 6])
        }
    }

    private var text: String { String(decoding: evidence.bytes, as: UTF8.self) }

    private func read(_ text: String) throws(EvidenceError) -> Evidence { try Evidence(parsing: Array(text.utf8)) }

    private func member(_ text: String) -> String? {
        do throws(EvidenceError) {
            _ = try read(text)
            return nil
        } catch {
            #expect(!error.reason.isEmpty)
            return error.member
        }
    }

    private func ima(_ json: String) -> String { text.replacing(group: #""ima":(\{[^}]*\})"#, with: json) }

    @Test("They are read as they were written, or not there at all")
    func roundTrip() throws {
        #expect(try read(text) == evidence)
        #expect(text.contains(#""runtime_log":"AQID","ima":{"offset":7,"entries":"BAUG"}"#))
        let without = try read(text.replacing(#""runtime_log":"AQID","ima":{"offset":7,"entries":"BAUG"},"#, with: ""))
        #expect(without.runtimeLog == nil && without.ima == nil)
        let bare = Evidence(
            attestationKey: evidence.attestationKey, quote: evidence.quote, pcrs: evidence.pcrs, eventLog: nil,
            bound: evidence.bound, keyAttestation: evidence.keyAttestation,
            encryptionKeyAttestation: evidence.encryptionKeyAttestation)
        #expect(without == bare)
    }

    @Test("A list without entries is not no list, nor is an empty log no log")
    func empty() throws {
        let none = try read(ima(#"{"offset":7,"entries":""}"#))
        #expect(none.ima == Evidence.IMA(offset: 7, entries: []))
        #expect(try Evidence(parsing: none.bytes) == none)
        #expect(try read(text.replacing("AQID", with: "")).runtimeLog == [])
    }

    @Test("The order of members is free")
    func order() throws { #expect(try read(ima(#"{"entries":"BAUG","offset":7}"#)) == evidence) }

    @Test(
        "Every way to spoil the list names its member",
        arguments: [
            ("null", "ima"), ("[]", "ima"), ("\"BAUG\"", "ima"), ("7", "ima"), ("{}", "ima.offset"),
            (#"{"offset":7}"#, "ima.entries"), (#"{"entries":"BAUG"}"#, "ima.offset"),
            (#"{"offset":7,"entries":"BAUG","more":1}"#, "ima.more"),
            (#"{"offset":-1,"entries":"BAUG"}"#, "ima.offset"), (#"{"offset":7.0,"entries":"BAUG"}"#, "ima.offset"),
            (#"{"offset":7e0,"entries":"BAUG"}"#, "ima.offset"), (#"{"offset":"7","entries":"BAUG"}"#, "ima.offset"),
            (#"{"offset":null,"entries":"BAUG"}"#, "ima.offset"), (#"{"offset":true,"entries":"BAUG"}"#, "ima.offset"),
            (#"{"offset":1099511627777,"entries":"BAUG"}"#, "ima.offset"),
            (#"{"offset":9223372036854775807,"entries":"BAUG"}"#, "ima.offset"),
            (#"{"offset":07,"entries":"BAUG"}"#, ""), (#"{"offset":+7,"entries":"BAUG"}"#, ""),
            (#"{"offset":9223372036854775808,"entries":"BAUG"}"#, ""),
            (#"{"offset":7,"offset":7,"entries":"BAUG"}"#, ""), (#"{"offset":7,"entries":null}"#, "ima.entries"),
            (#"{"offset":7,"entries":[4,5,6]}"#, "ima.entries"), (#"{"offset":7,"entries":"BAUG="}"#, "ima.entries"),
            (#"{"offset":7,"entries":"BAU+"}"#, "ima.entries"), (#"{"offset":7,"entries":"BAUGA"}"#, "ima.entries"),
            (#"{"offset":7,"entries":"BB"}"#, "ima.entries"), (#"{"offset":7,"entries":"BA UG"}"#, "ima.entries"),
            (#"{"offset":7,"entries":{"a":{"b":{}}}}"#, ""),
        ])
    func list(json: String, path: String) { #expect(member(ima(json)) == path, "\(json)") }

    @Test("The bounds of the offset are read")
    func offsets() throws {
        for offset in [0, 1 << 40] {
            #expect(try read(ima(#"{"offset":\#(offset),"entries":""}"#)).ima?.offset == offset)
        }
    }

    @Test(
        "Every way to spoil the runtime log names it",
        arguments: ["null", "7", "[]", "{}", "true", "\"AQID=\"", "\"AQI/\"", "\"AQIDA\"", "\"AR\"", "\" AQID\""])
    func runtimeLog(json: String) {
        #expect(member(text.replacing(#""runtime_log":"AQID""#, with: "\"runtime_log\":" + json)) == "runtime_log")
    }

    @Test("Neither may come twice")
    func twice() {
        #expect(member("{\"runtime_log\":\"AQID\"," + text.dropFirst()) == "")
        #expect(member("{\"ima\":{\"offset\":7,\"entries\":\"BAUG\"}," + text.dropFirst()) == "")
    }

    @Test("An envelope of many small values is refused before anything is kept of them")
    func values() {
        let numbers = Array(repeating: "1", count: 100_000).joined(separator: ",")
        #expect(member("{\"pcrs\":[\(numbers)]}") == "")
        let records = Array(repeating: "[]", count: 1000).joined(separator: ",")
        #expect(member("[\(records)]") == "")
    }

    @Test("Logs of exactly their bounds make an envelope that is read; one byte more does not")
    func bounds() throws {
        let event = Evidence.maximumEventLogByteCount, runtime = Evidence.maximumRuntimeLogByteCount
        let list = Evidence.IMA.maximumByteCount
        let plain = text.replacing(#""runtime_log":"AQID","ima":{"offset":7,"entries":"BAUG"},"#, with: "")
        /// Zeros, which are so many times the letter A.
        func envelope(_ event: Int, _ runtime: Int, _ list: Int) -> [UInt8] {
            func zeros(_ count: Int) -> String { String(repeating: "A", count: count / 3 * 4 + [0, 2, 3][count % 3]) }
            let logs = #"{"event_log":"\#(zeros(event))","runtime_log":"\#(zeros(runtime))","#
            return Array((logs + #""ima":{"offset":7,"entries":"\#(zeros(list))"},"# + plain.dropFirst()).utf8)
        }
        let largest = envelope(event, runtime, list)
        #expect(largest.count <= Evidence.maximumByteCount - 4096)
        let read = try Evidence(parsing: largest)
        #expect(read.eventLog?.count == event && read.runtimeLog?.count == runtime && read.ima?.entries.count == list)
        for (bytes, name) in [
            (envelope(event + 1, 0, 0), "event_log"), (envelope(0, runtime + 1, 0), "runtime_log"),
            (envelope(0, 0, list + 1), "ima.entries"),
        ] {
            let error = #expect(throws: EvidenceError.self) { try Evidence(parsing: bytes) }
            #expect(error?.member == name)
        }
    }
}
