import CarnetAppraisal
import Cryptography
import StrictEncoding
import TPM2
import Testing

@Suite("The policy file, read strictly")
struct PolicyTests {
    private func error(_ text: String) -> PolicyError? {
        do throws(PolicyError) {
            _ = try Policy(parsing: Array(text.utf8))
            return nil
        } catch { return error }
    }

    @Test("Every member is read, and the selection is derived from the banks")
    func good() throws {
        let policy = try Policy(parsing: Array(PolicyText.good.utf8))
        #expect(policy.id == "demo-node" && policy.requiresEventLog)
        #expect(policy.rule(forPCR: 0, in: .sha256) == .values([.init([UInt8](repeating: 0xA1, count: 32))]))
        #expect(
            policy.rule(forPCR: 4, in: .sha256)
                == .values([.init([UInt8](repeating: 0xA1, count: 32)), .init([UInt8](repeating: 0xB2, count: 32))]))
        #expect(policy.rule(forPCR: 7, in: .sha256) == .ignore && policy.rule(forPCR: 7, in: .sha384) == nil)
        let selection: [UInt8] = [0, 0, 0, 2, 0, 0x0B, 3, 0x91, 0, 0, 0, 0x0C, 3, 0x01, 0, 0]
        #expect(policy.selection.bytes == selection)
    }

    @Test("The digest is of the file's bytes, and names the policy")
    func digest() throws {
        let policy = try Policy(parsing: Array(PolicyText.good.utf8))
        let digest = HashAlgorithm.sha256.hash(Array(PolicyText.good.utf8))
        #expect(policy.digest == digest)
        #expect(policy.identifier == "tag:carnet.dev,2026:policy/demo-node@sha256:\(Hexadecimal.encode(digest))")
        let commented = try Policy(parsing: Array((PolicyText.good + "\n# a comment\n").utf8))
        #expect(commented.digest != digest && commented.selection == policy.selection)
    }

    @Test("Members may be left out where they have a default, and the default is the strict one")
    func defaults() throws {
        let text = "version: 1\nid: a\nbanks: {sha256: {0: \(PolicyText.value)}}"
        #expect(try Policy(parsing: Array(text.utf8)).requiresEventLog)
    }

    @Test("Every fault is named by its member and its line", arguments: Fault.all)
    func faults(fault: Fault) throws {
        let text = PolicyText.good.replacing(fault.from, with: fault.to, maxReplacements: 1)
        #expect(text != PolicyText.good)
        let found = try #require(self.error(text))
        #expect(found.member == fault.member && !found.reason.isEmpty)
        if let line = fault.line { #expect(found.line == line, "\(found)") }
    }

    @Test(
        "A member twice is refused, however it is spelt",
        arguments: [
            ("id: demo-node", "id: demo-node\nid: other"), ("7: ignore", "7: ignore\n    7: ignore"),
            ("7: ignore", "7: ignore\n    \"7\": \(PolicyText.value)"), ("7: ignore", "7: ignore\n    '4': ignore"),
            ("7: ignore", "7: ignore\n    !!str 0: ignore"), ("id: demo-node", "id: demo-node\n\"id\": other"),
            ("sha384:", "\"sha256\":"),
        ])
    func duplicates(from: String, to: String) {
        let text = PolicyText.good.replacing(from, with: to, maxReplacements: 1)
        #expect(error(text) != nil && text != PolicyText.good)
    }

    @Test("What YAML could be read as in two ways, or not at all, is refused with its line")
    func syntax() {
        #expect(error("version: 1\nid: [\n")?.line != nil)
        let twice = error("id: a\nversion: 1\nversion: 1\n")
        #expect(twice?.member == "version" && twice?.line != nil)
        #expect(error("version: 1\n\tid: a\n")?.line == 2)
        #expect(error(PolicyText.good + "\n---\n" + PolicyText.good) != nil, "one document")
        for text in ["", "# nothing\n", "null", "[]", "text", "7", "? {}\n: 1", "<<: {version: 1}", "&a [*a]", "*a"] {
            #expect(error(text) != nil, "\(text)")
        }
        #expect(throws: PolicyError.self) { try Policy(parsing: [0x76, 0xFF, 0xFE]) }
        #expect(throws: PolicyError.self) { try Policy(parsing: [0]) }
    }

    @Test("A policy that would accept every machine, or none in particular, is none")
    func empty() {
        for banks in [
            "{}", "{sha256: {}}", "{sha256: {0: ignore}}", "{sha256: {0: ignore}, sha384: {7: ignore}}", "", "[]",
        ] {
            #expect(error("version: 1\nid: a\nbanks: \(banks)\n")?.member.hasPrefix("banks") == true, "\(banks)")
        }
    }

    @Test("Size and nesting are bounded, and names that refer to one another do not multiply", .timeLimit(.minutes(5)))
    func limits() {
        #expect(error(PolicyText.good + "\n#" + String(repeating: "x", count: Policy.maximumByteCount)) != nil)
        #expect(error(String(repeating: "[", count: 100_000)) != nil)
        #expect(error(String(repeating: "{a: ", count: 50_000)) != nil)
        #expect(error(String(repeating: "? ", count: 50_000)) != nil)
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<40 {
            let names = [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(names)]\n"
        }
        #expect(error(bomb) != nil)
        #expect(error(bomb + "? *a39\n: 1\n") != nil)
        #expect(error(bomb + "? *a39\n: 1\n? *a39\n: 2\n") != nil)
        let values = (0..<257).map {
            "\(Hexadecimal.encode([UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)]))" + String(repeating: "a", count: 60)
        }
        #expect(
            error("version: 1\nid: a\nbanks: {sha256: {0: [\(values.joined(separator: ","))]}}")?.member
                == "banks.sha256.0")
    }

    @Test("What is allowed and may be a mistake is warned of")
    func warnings() throws {
        let text =
            "version: 1\nid: a\nevent_log: optional\nbanks: {sha256: {8: \(PolicyText.value), 9: ignore, 10: ignore}}"
        let warnings = try Policy(parsing: Array(text.utf8)).warnings
        for word in ["0, 4, 7", "9, 10", "PCR 10 changes", "optional"] {
            #expect(warnings.contains { $0.contains(word) }, "\(word)")
        }
        let complete =
            "version: 1\nid: a\nbanks: {sha256: {0: \(PolicyText.value), 4: \(PolicyText.value), 7: \(PolicyText.value)}}"
        #expect(try Policy(parsing: Array(complete.utf8)).warnings.isEmpty)
    }
}
