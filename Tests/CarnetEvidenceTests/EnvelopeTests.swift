import CarnetEvidence
import CarnetTesting
import StrictEncoding
import TPM2
import Testing

@Suite("The envelope application/vnd.carnet.tpm-evidence+json")
struct EnvelopeTests {
    let evidence: Evidence

    init() throws {
        var machine = try ForgedMachine()
        try machine.measure(GoodBoot.imaList())
        machine.measure(GoodBoot.runtimeLog())
        evidence = try machine.evidence(
            machine.challenge(), wanting: EvidenceRequirements(runtimeLog: .required, imaOffset: 1))
    }

    private var text: String { String(decoding: evidence.bytes, as: UTF8.self) }

    private func member(_ text: String) -> String? {
        do throws(EvidenceError) {
            _ = try Evidence(parsing: Array(text.utf8))
            return nil
        } catch {
            #expect(!error.reason.isEmpty)
            return error.member
        }
    }

    @Test("What is written is read again")
    func roundTrip() throws { #expect(try Evidence(parsing: evidence.bytes) == evidence) }

    @Test("The members are those of the protocol")
    func members() throws {
        let root = try JSONDocument(parsing: evidence.bytes, maximumByteCount: 1 << 20).root
        let names = try #require(root.members).map(\.name)
        #expect(
            names == [
                "ak", "quote", "pcrs", "event_log", "runtime_log", "ima", "bound", "key_attestation",
                "encryption_key_attestation",
            ])
        #expect(root["ima"]?.members?.map(\.name) == ["offset", "entries"])
        #expect(root["pcrs"]?["sha256"]?.members?.map(\.name) == ["0", "1", "4", "7"])
    }

    @Test("A missing member is named", arguments: ["ak", "quote", "pcrs", "bound"])
    func missing(name: String) { #expect(member(text.replacing("\"\(name)\":", with: "\"x\":")) == name) }

    @Test(
        "Members that may be absent",
        arguments: ["event_log", "runtime_log", "ima", "key_attestation", "encryption_key_attestation"])
    func unknown(name: String) throws {
        // Renamed, they are members that are not known, and that is refused by name.
        #expect(member(text.replacing("\"\(name)\":", with: "\"x\":")) == "x")
    }

    @Test("Unknown members are refused where they stand")
    func unknownMembers() {
        for (place, path) in [
            ("{\"ak\"", "new"), ("\"attest\"", "quote.new"), ("\"public\"", "key_attestation.new"),
            ("\"offset\"", "ima.new"),
        ] {
            let added = place.hasPrefix("{") ? "{\"new\":1," + place.dropFirst() : "\"new\":1," + place
            let changed = text.replacing(place, with: added, maxReplacements: 1)
            #expect(member(changed) == path)
        }
    }

    @Test("A member twice is refused, as is anything after the object")
    func duplicates() {
        #expect(member("{\"ak\":\"AAA\"," + text.dropFirst()) == "")
        #expect(member(text + " {}") == "")
        #expect(member(text + "\n") == nil, "white space is not content")
    }

    @Test(
        "What is not JSON or not an object is refused",
        arguments: ["", "{", "null", "\"text\"", "7", "[]", "{}", "[[[[[[]]]]]]", "{\"ak\":\"\u{1}\"}", "\u{FEFF}{}"])
    func garbage(text: String) { #expect(member(text) != nil) }

    @Test("Invalid UTF-8 is refused")
    func encoding() {
        #expect(throws: EvidenceError.self) { try Evidence(parsing: [0x7B, 0x22, 0xC3, 0x28, 0x22, 0x3A, 0x31, 0x7D]) }
    }

    @Test("An unknown name is shown without control characters, and not at length")
    func hostileName() throws {
        let name = "\\u001b[31m" + String(repeating: "x", count: 300)
        let shown = try #require(member("{\"\(name)\":1," + text.dropFirst()))
        #expect(shown.count <= 60 && !shown.contains("\u{1B}"))
    }

    @Test(
        "Values are base64url in its one spelling",
        arguments: ["AAA=", "AA==", "A", "A+AA", "A/AA", "AAB", " AAA", "A\\nAA"])
    func base64(value: String) {
        #expect(member(text.replacing(group: #""bound":"([^"]*)"#, with: value)) == "bound")
    }

    @Test("Limits are checked, and the number is named")
    func limits() throws {
        let long = Base64URL.encode([UInt8](repeating: 0, count: 5000))
        #expect(member(text.replacing(group: #""bound":"([^"]*)"#, with: long)) == "bound")
        #expect(member(text.replacing(group: #""attest":"([^"]*)"#, with: long)) == "quote.attest")
        #expect(member(text.replacing(group: #""ak":"([^"]*)"#, with: long)) == "ak")
        let log = Base64URL.encode([UInt8](repeating: 0, count: (1 << 20) + 1))
        #expect(member(text.replacing(group: #""event_log":"([^"]*)"#, with: log)) == "event_log")
        #expect(throws: EvidenceError.self) {
            try Evidence(parsing: [UInt8](repeating: 0x20, count: Evidence.maximumByteCount + 1))
        }
    }

    @Test(
        "PCRs have one spelling",
        arguments: ["24", "-1", "00", "01", "+1", "0x1", "1.0", " 1", "", "99999999999999999999"])
    func indices(index: String) {
        #expect(member(text.replacing(group: #""pcrs":\{"sha256":\{("0")"#, with: "\"\(index)\"")) == "pcrs.sha256")
    }

    @Test("Banks are known by name, their values are objects of strings")
    func banks() {
        #expect(member(text.replacing(group: #""pcrs":\{("sha256")"#, with: "\"sha3000\"")) == "pcrs")
        #expect(member(text.replacing(group: #""pcrs":(\{.*?\}\})"#, with: "[]")) == "pcrs")
        #expect(member(text.replacing(group: #""pcrs":(\{.*?\}\})"#, with: "{\"sha256\":[]}")) == "pcrs.sha256")
        #expect(
            member(text.replacing(group: #""pcrs":(\{.*?\}\})"#, with: "{\"sha256\":{\"0\":7}}")) == "pcrs.sha256.0")
    }

    @Test("A CMW record may hold the envelope")
    func record() throws {
        let value = Base64URL.encode(evidence.bytes)
        let type = Evidence.mediaType
        #expect(try Evidence(parsing: Array("[\"\(type)\",\"\(value)\"]".utf8)) == evidence)
        #expect(try Evidence(parsing: Array("[\"\(type)\",\"\(value)\",4]".utf8)) == evidence)
        #expect(member("[\"application/json\",\"\(value)\"]") == "[0]")
        #expect(member("[\"\(type)\",\"\(value)=\"]") == "[1]")
        #expect(member("[\"\(type)\",7]") == "[1]")
        for indicator in ["0", "1", "8", "-4", "4294967296", "\"4\"", "4.0", "null"] {
            #expect(member("[\"\(type)\",\"\(value)\",\(indicator)]") == "[2]", "\(indicator)")
        }
        #expect(member("[\"\(type)\"]") == "" && member("[\"\(type)\",\"\(value)\",4,4]") == "")
    }

    @Test("A record in a record is not opened")
    func nested() {
        let value = Base64URL.encode(Array("[\"\(Evidence.mediaType)\",\"e30\"]".utf8))
        #expect(member("[\"\(Evidence.mediaType)\",\"\(value)\"]") != nil)
    }

    @Test("A name that no key can have is refused", arguments: ["", "AAs", "AAsA"])
    func name(value: String) { #expect(member(text.replacing(group: #""ak":"([^"]*)"#, with: value)) == "ak") }

    @Test("No cut of an envelope is read, and none traps")
    func truncations() {
        for count in stride(from: 0, to: evidence.bytes.count, by: 7) {
            #expect(throws: EvidenceError.self) { try Evidence(parsing: Array(evidence.bytes.prefix(count))) }
        }
    }
}

extension String {
    /// The text with the first match of a pattern's only group replaced; a failed test where nothing matches.
    func replacing(group pattern: String, with value: String) -> String {
        guard let regex = try? Regex(pattern), let group = firstMatch(of: regex)?.output[1].range else {
            Issue.record("\(pattern) matches nothing")
            return self
        }
        return self[..<group.lowerBound] + value + self[group.upperBound...]
    }
}
