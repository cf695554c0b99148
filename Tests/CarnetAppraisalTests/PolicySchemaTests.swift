import CarnetAppraisal
import Foundation
import StrictEncoding
import Testing

@Suite("Docs/policy.schema.json says what the parser does")
struct PolicySchemaTests {
    let root: JSONNode

    init() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let bytes = [UInt8](try Data(contentsOf: package.appending(path: "Docs/policy.schema.json")))
        root = try JSONDocument(parsing: bytes, maximumByteCount: 1 << 17, maximumDepth: 16).root
    }

    private func reads(_ text: String) -> Bool { (try? Policy(parsing: Array(text.utf8))) != nil }

    private func policy(id: String = "a", banks: String) -> String { "version: 1\nid: \(id)\nbanks: \(banks)\n" }

    @Test("The members are those of a policy, and no others are allowed")
    func members() {
        #expect(
            root["properties"]?.members?.map(\.name) == [
                "version", "id", "description", "nodes", "discloses", "references", "event_log", "runtime_log",
                "templates", "banks",
                "boot",
                "components",
                "ima",
            ])
        #expect(
            root["properties"]?["components"]?["properties"]?.members?.map(\.name)
                == ComponentClass.allCases.map(\.rawValue))
        #expect(root["required"]?.elements?.map(\.string) == ["version", "id", "banks"])
        #expect(root["additionalProperties"]?.boolean == false)
        #expect(root["properties"]?["event_log"]?["enum"]?.elements?.map(\.string) == ["required", "optional"])
    }

    @Test(
        "Identifiers are judged alike",
        arguments: [
            "a", "demo-node.v1_2", "A", "a b", "ä", String(repeating: "a", count: 64),
            String(repeating: "a", count: 65),
        ])
    func identifiers(id: String) throws {
        let pattern = try Regex(#require(root["properties"]?["id"]?["pattern"]?.string))
        let value = String(repeating: "ab", count: 32)
        #expect((id.wholeMatch(of: pattern) != nil) == reads(policy(id: id, banks: "{sha256: {0: \(value)}}")))
    }

    @Test(
        "Names of reference sets are judged alike",
        arguments: [
            "a@sha256:" + String(repeating: "ab", count: 32), "a@sha256:" + String(repeating: "AB", count: 32),
            "@sha256:" + String(repeating: "ab", count: 32), "A@sha256:" + String(repeating: "ab", count: 32),
            "a@sha384:" + String(repeating: "ab", count: 48), "a@sha256:" + String(repeating: "ab", count: 31), "a", "",
            "a@b@sha256:" + String(repeating: "ab", count: 32),
        ])
    func references(name: String) throws {
        let pattern = try Regex(#require(root["$defs"]?["reference"]?["pattern"]?.string))
        let text = policy(banks: "{sha256: {0: \(String(repeating: "ab", count: 32))}}") + "references: [\"\(name)\"]\n"
        #expect((name.wholeMatch(of: pattern) != nil) == reads(text))
        #expect(root["properties"]?["references"]?["oneOf"]?.elements?.last?["maxItems"]?.integer == 16)
    }

    @Test(
        "Disclosed labels are judged alike",
        arguments: [
            "role", "a/b.c_d-E9", "", "a b", "ä", String(repeating: "a", count: 63), String(repeating: "a", count: 64),
        ])
    func disclosures(name: String) throws {
        let choices = try #require(root["properties"]?["discloses"]?["oneOf"]?.elements)
        let pattern = try Regex(#require(choices.first?["pattern"]?.string))
        let base = policy(banks: "{sha256: {0: \(String(repeating: "ab", count: 32))}}")
        #expect((name.wholeMatch(of: pattern) != nil) == reads(base + "discloses: [\"\(name)\"]\n"))
        #expect((name.wholeMatch(of: pattern) != nil) == reads(base + "discloses: \"\(name)\"\n"))
        #expect(choices.last?["maxItems"]?.integer == Int64(Policy.maximumDisclosureCount))
        #expect(choices.last?["items"]?["pattern"]?.string == choices.first?["pattern"]?.string)
        let names = (0..<9).map { "l\($0)" }
        #expect(reads(base + "discloses: [\(names.prefix(8).joined(separator: ", "))]\n"))
        #expect(!reads(base + "discloses: [\(names.joined(separator: ", "))]\n"))
        #expect(!reads(base + "discloses: [role, role]\n"))
        #expect(!reads(base + "discloses: {role: worker}\n"))
    }

    @Test("PCRs and lengths of values are judged alike", arguments: [("sha256", 64), ("sha384", 96), ("sha512", 128)])
    func banks(name: String, digits: Int) throws {
        let rules = try #require(root["$defs"]?[name]?["patternProperties"]?.members?.first)
        let names = try Regex(rules.name)
        for pcr in ["0", "9", "10", "15", "16", "23", "24", "00", "-1", "x"] {
            let text = policy(banks: "{\(name): {\(pcr): \(String(repeating: "a", count: digits))}}")
            #expect((pcr.wholeMatch(of: names) != nil) == reads(text), "\(name) \(pcr)")
        }
        let choices = try #require(rules.value["oneOf"]?.elements)
        let values = try Regex(#require(choices.first { $0["pattern"] != nil }?["pattern"]?.string))
        for count in [0, digits - 2, digits - 1, digits, digits + 2] {
            let value = String(repeating: "Ab", count: digits).prefix(count)
            #expect(
                (value.wholeMatch(of: values) != nil) == reads(policy(banks: "{\(name): {0: \(value)}}")), "\(count)")
        }
        #expect(choices.contains { $0["const"]?.string == "ignore" })
        #expect(choices.compactMap { $0["maxItems"]?.integer } == [256])
    }

    @Test("The banks are those that prove something")
    func strongBanks() {
        #expect(root["properties"]?["banks"]?["properties"]?.members?.map(\.name) == ["sha256", "sha384", "sha512"])
    }
}
