import CarnetAppraisal
import TPM2
import Testing

@Suite("Policies")
struct PolicyTests {
    static let value = String(repeating: "ab", count: 32)

    private func failure(_ text: String) -> PolicyError? {
        do {
            _ = try Policy(parsing: Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test("A policy is read, and names what it wants quoted")
    func good() throws {
        let text = """
            version: 1
            id: prod-node.1
            description: "text: with a colon"
            banks:
              sha384: {0: \(String(repeating: "cd", count: 48))}
              sha256:
                0: \(Self.value)
                4: [\(Self.value), \(String(repeating: "12", count: 32))]
                7: ignore
            """
        let policy = try Policy(parsing: Array(text.utf8))
        #expect(policy.id == "prod-node.1" && policy.requiresEventLog)
        #expect(policy.selection.selections.map(\.bank) == [.sha256, .sha384])
        #expect(policy.selection.selections.map(\.indices) == [[0, 4, 7], [0]])
        #expect(policy.rule(forPCR: 7, in: .sha256) == .ignore && policy.rule(forPCR: 8, in: .sha256) == nil)
        #expect(policy.identifier.hasPrefix("tag:carnet.dev,2026:policy/prod-node.1@sha256:"))
        let other = try Policy(parsing: Array((text + "\n# a comment\n").utf8))
        #expect(other.digest != policy.digest, "the digest is of the file")
    }

    @Test(
        "What a policy must not be is refused, with the member",
        arguments: [
            ("", ""), ("[]", ""), ("version: 2", "version"), ("version: 1", "id"), ("version: 1\nid: UP", "id"),
            ("version: 1\nid: \"\"", "id"), ("version: 1\nid: a", "banks"), ("version: 1\nid: a\nbanks: 3", "banks"),
            ("version: 1\nid: a\nbanks: {}", "banks"), ("version: 1\nid: a\nbanks: {sha1: {0: ab}}", "banks.sha1"),
            ("version: 1\nid: a\nbanks: {md5: {0: ab}}", "banks.md5"),
            ("version: 1\nid: a\nbanks: {sha256: {}}", "banks.sha256"),
            ("version: 1\nid: a\nbanks: {sha256: {0: ab}}", "banks.sha256.0"),
            ("version: 1\nid: a\nbanks: {sha256: {0: \(value)ab}}", "banks.sha256.0"),
            ("version: 1\nid: a\nbanks: {sha256: {0: \(value.replacing("ab", with: "xy"))}}", "banks.sha256.0"),
            ("version: 1\nid: a\nbanks: {sha256: {0: []}}", "banks.sha256.0"),
            ("version: 1\nid: a\nbanks: {sha256: {0: {}}}", "banks.sha256.0"),
            ("version: 1\nid: a\nbanks: {sha256: {0: [\(value), \(value)]}}", "banks.sha256.0"),
            ("version: 1\nid: a\nbanks: {sha256: {0: \(String(repeating: "00", count: 32))}}", "banks.sha256.0"),
            ("version: 1\nid: a\nbanks: {sha256: {24: \(value)}}", "banks.sha256.24"),
            ("version: 1\nid: a\nbanks: {sha256: {16: \(value)}}", "banks.sha256.16"),
            ("version: 1\nid: a\nbanks: {sha256: {23: ignore, 0: \(value)}}", "banks.sha256.23"),
            ("version: 1\nid: a\nbanks: {sha256: {x: \(value)}}", "banks.sha256.x"),
            ("version: 1\nid: a\nbanks: {sha256: {07: \(value)}}", "banks.sha256.07"),
            ("version: 1\nid: a\nbanks: {sha256: {0: ignore}}", "banks"),
            ("version: 1\nid: a\nevent_log: no\nbanks: {sha256: {0: \(value)}}", "event_log"),
            ("version: 1\nid: a\nextra: 1\nbanks: {sha256: {0: \(value)}}", "extra"),
            ("version: 1\nid: a\nid: a\nbanks: {sha256: {0: \(value)}}", ""),
            ("version: 1\nid: a\nbanks: {sha256: {0: \(value), 0: ignore}}", ""),
            ("version: 1\nid: a\nbanks: {sha256: {0: \(value)}}\n---\nversion: 1", ""),
        ])
    func refused(text: String, member: String) throws {
        let error = try #require(failure(text), "accepted")
        #expect(error.member == member, "\(error)")
    }

    @Test("An error names the line")
    func line() throws {
        let text = "version: 1\nid: a\nbanks:\n  sha256:\n    0: \(Self.value)\n    4: nonsense\n"
        #expect(failure(text)?.line == 6)
        #expect(failure(text)?.description.hasPrefix("line 6: banks.sha256.4: ") == true)
    }

    @Test("Bytes that are not UTF-8, and too many of them, are refused")
    func bytes() {
        #expect(throws: PolicyError.self) { try Policy(parsing: [0xFF, 0xFE]) }
        #expect(throws: PolicyError.self) {
            try Policy(parsing: [UInt8](repeating: 0x20, count: Policy.maximumByteCount + 1))
        }
    }

    @Test("What may be a mistake is said")
    func warnings() throws {
        func warnings(_ text: String) throws -> [String] { try Policy(parsing: Array(text.utf8)).warnings }
        let full = "version: 1\nid: a\nbanks: {sha256: {0: \(Self.value), 4: \(Self.value), 7: \(Self.value)}}"
        #expect(try warnings(full).isEmpty)
        #expect(
            try warnings("version: 1\nid: a\nbanks: {sha256: {5: \(Self.value)}}").first?.contains("PCR 0, 4, 7")
                == true)
        #expect(try warnings(full.replacing("id: a", with: "id: a\nevent_log: optional")).count == 1)
        #expect(try warnings(full.replacing("7: ", with: "10: \(Self.value), 7: ")).contains { $0.contains("IMA") })
    }
}
