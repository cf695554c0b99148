import CarnetAppraisal
import CarnetEvidence
import CarnetTesting
import Fixtures
import TPM2
import Testing

@Suite("PCR templates")
struct PCRTemplateTests {
    static let value = String(repeating: "ab", count: 32)
    static let good = "version: 1\nname: fw-2\nbanks: {sha256: {4: \(value)}}\n"

    private func template(_ text: String) throws -> PCRTemplate { try PCRTemplate(parsing: Array(text.utf8)) }

    @Test(
        "What is no template is refused",
        arguments: [
            good.replacing("version: 1", with: "version: 2"), good.replacing("version: 1\n", with: ""), good + "x: 1\n",
            good.replacing("fw-2", with: "FW 2"), good.replacing("fw-2", with: String(repeating: "f", count: 65)),
            good.replacing("{4:", with: "{16:"), good.replacing(value, with: "ignore"),
            good.replacing(value, with: "[\(value), \(String(repeating: "cd", count: 32))]"),
            good.replacing(value, with: "{value: \(value), until: 2027-01-01}"), good.replacing(value, with: "ab"),
            good.replacing("sha256", with: "sha1"), good + "from: 2027-01-01\nuntil: 2026-01-01\n",
            good + "#" + String(repeating: " ", count: PCRTemplate.maximumByteCount),
        ])
    func faults(text: String) throws {
        #expect(throws: PolicyError.self) { try template(text) }
        let good = try template(Self.good)
        #expect(good.name == "fw-2" && good.identifier.hasPrefix("tag:carnet.dev,2026:pcr-template/fw-2@sha256:"))
    }

    @Test("A template counts as a whole, for the PCRs that it names, in its time, where the policy accepts templates")
    func holds() throws {
        let log = ComponentPolicyTests.tampered, good = try Scenario().machine.registers[.sha256] ?? [:]
        var scenario = try Scenario(booting: log)
        let changed = try #require(scenario.machine.registers[.sha256]?[4]).hex, kept = try #require(good[0]).hex
        let strict = String(decoding: try #require(scenario.policy).text, as: UTF8.self)
        func rules(_ banks: String, accepting: Bool = true, _ window: String = "", at now: Int64 = 0) throws -> [String]
        {
            let text = strict + (accepting ? "templates: accepted\n" : "")
            scenario.policy = try Policy(parsing: Array(text.utf8))
            let template = try template("version: 1\nname: t\nbanks: {sha256: {\(banks)}}\n" + window)
            let appraiser = Appraiser(policy: scenario.policy, templates: [template])
            return try appraiser.appraise(scenario.quote(), at: now).verdict().findings.map(\.rule)
        }
        #expect(try rules("4: \(changed)").isEmpty && rules("4: \(changed), 0: \(kept)").isEmpty)
        #expect(try rules("4: \(changed)", accepting: false) == ["pcr-value"])
        #expect(try rules("4: \(changed), 0: \(Self.value)") == ["pcr-value"])
        #expect(try rules("4: \(Self.value)") == ["pcr-value"])
        #expect(try rules("0: \(kept)") == ["pcr-value"])
        #expect(try rules("4: \(changed)", "from: 1970-01-02\n", at: 86_399) == ["pcr-value"])
        #expect(try rules("4: \(changed)", "from: 1970-01-02\n", at: 86_400).isEmpty)
        #expect(try rules("4: \(changed)", "until: 1970-01-02\n", at: 86_400) == ["pcr-value"])
    }
}
