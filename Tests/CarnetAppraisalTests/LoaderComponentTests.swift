import CarnetAppraisal
import CarnetEvidence
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// The classes of components that GRUB does not have: authorities, sections, command lines, lists of keys.
@Suite("Appraisal by component: unified kernel images, shim and who verified")
struct LoaderComponentTests {
    private static func digest(_ content: [UInt8]) -> String { "sha256:" + HashAlgorithm.sha256.hash(content).hex }

    static let signer = Array("the signer of the boot loader".utf8)
    static let certificate: [UInt8] = [0x30, UInt8(signer.count + 2), 0x0C, UInt8(signer.count)] + signer
    static let line: [UInt8] = Array("root=/dev/sda ro".utf8).flatMap { [$0, 0] }

    static func log(_ change: (inout EventLogBuilder) -> Void = { _ in }) -> EventLogBuilder {
        GoodBoot.log { log in
            log.add(pcr: 11, .ipl, data: Array(".linux\0".utf8), measuring: Array(".linux\0".utf8))
            log.add(pcr: 11, .ipl, data: Array(".linux\0".utf8), measuring: Array("section".utf8))
            log.add(pcr: 12, .ipl, data: line + [0, 0], measuring: line)
            log.add(pcr: 14, .ipl, data: Array("MokList\0".utf8), measuring: Array("mok".utf8))
            change(&log)
        }
    }

    static let good = """
        version: 1
        id: loaders
        banks:
          sha256: {7: ignore, 11: ignore, 12: ignore, 14: ignore}
        components:
          authority: {allow: ["\(digest(certificate))"]}
          section: {allow: ["\(digest(Array("section".utf8)))"]}
          command-line: {allow: ["root=/dev/* ro"]}
          mok-list: {allow: ["\(digest(Array("mok".utf8)))"]}
        """

    private func findings(_ text: String = good, _ log: EventLogBuilder = log()) throws -> [Finding] {
        var scenario = try Scenario(booting: log)
        scenario.policy = try Policy(parsing: Array(text.utf8))
        return try scenario.outcome().verdict().findings
    }

    @Test("What is allowed is affirmed, and each class is judged by its PCR")
    func classes() throws {
        #expect(try findings().isEmpty)
        let another = Self.digest([1])
        for (allowed, pcr) in [
            (Self.digest(Self.certificate), 7), (Self.digest(Array("section".utf8)), 11), ("root=/dev/* ro", 12),
            (Self.digest(Array("mok".utf8)), 14),
        ] {
            let found = try findings(Self.good.replacing(allowed, with: pcr == 12 ? "root=/dev/other" : another))
            #expect(found.map(\.rule) == ["component-unknown"] && found.first?.pcr == pcr, "\(allowed)")
        }
    }

    @Test("What the log does not show, or shows without a name, is asked about in every class")
    func hidden() throws {
        let additions: [(Int, [UInt8], [UInt8])] = [
            (11, Array("no section".utf8), [9]), (12, Self.line, [9]), (12, [], [9]),
            (14, Array("MokList\0".utf8), [9]),
        ]
        for (pcr, data, measured) in additions {
            let found = try findings(Self.good, Self.log { $0.add(pcr: pcr, .ipl, data: data, measuring: measured) })
            #expect(found.map(\.rule) == ["component-unknown"] && found.first?.pcr == pcr)
        }
        // An authority that is neither a certificate nor a digest has no name that a policy could allow.
        let data = UEFIVariable.shimVendor + [UInt8](repeating: 0, count: 20)
        let old = Self.log { $0.add(pcr: 7, .efiVariableAuthority, data: data + [0], measuring: data) }
        #expect(try findings(Self.good, old).map(\.rule) == ["component-unknown", "shim-trailing-byte"])
    }

    @Test(
        "Every fault of a class is named by its member",
        arguments: [
            ("sha256: {7: ignore, ", "sha256: {", "components.authority"),
            ("  section: {allow: [\"sha256:", "  section: {allow: [\"sha1:", "components.section.allow"),
            ("  section: {allow: [\"sha256:", "  section: {allow: [\"sha256:00", "components.section.allow"),
            ("  section: {allow: [\"sha256:", "  section: {allow: [\"sha384:", "components.section.allow"),
            ("  section: {allow: [\"sha256:", "  section: {allow: [\"", "components.section.allow"),
            ("root=/dev/* ro", "**", "components.command-line.allow"),
            ("root=/dev/* ro", "", "components.command-line.allow"),
        ])
    func faults(from: String, to: String, member: String) throws {
        let text = Self.good.replacing(from, with: to)
        #expect(text != Self.good)
        let error = #expect(throws: PolicyError.self) { try Policy(parsing: Array(text.utf8)) }
        #expect(error?.member == member)
    }

    @Test("A digest of a bank that is not quoted, or a SHA-1 digest of its right length, is refused")
    func banks() {
        let own = Self.digest(Array("section".utf8))
        for other in ["sha384:" + String(repeating: "ab", count: 48), "sha1:" + String(repeating: "ab", count: 20)] {
            #expect(throws: PolicyError.self) { try Policy(parsing: Array(Self.good.replacing(own, with: other).utf8)) }
        }
        let authority = Self.digest(Self.certificate), long = "sha384:" + String(repeating: "ab", count: 48)
        let text = Self.good.replacing(authority, with: long).replacing(
            "banks:\n", with: "banks:\n  sha384: {7: ignore, 11: ignore, 12: ignore, 14: ignore}\n")
        #expect(throws: PolicyError.self) { try Policy(parsing: Array(text.utf8)) }
    }

    @Test("At most 256 texts and 10,000 digests of a class are read")
    func limits() {
        func policy(_ kind: String, _ entries: [String]) -> [UInt8] {
            let pcr = kind == "command-line" ? 12 : 11
            let list = entries.map { "\"\($0)\"" }.joined(separator: ", ")
            return Array(
                "version: 1\nid: many\nbanks: {sha256: {\(pcr): ignore}}\ncomponents: {\(kind): {allow: [\(list)]}}\n"
                    .utf8)
        }
        let digests = (0..<10_001).map { Self.digest(Array("\($0)".utf8)) }, texts = (0..<257).map { "line \($0)" }
        #expect(throws: Never.self) { try Policy(parsing: policy("section", digests.dropLast())) }
        #expect(throws: PolicyError.self) { try Policy(parsing: policy("section", digests)) }
        #expect(throws: Never.self) { try Policy(parsing: policy("command-line", texts.dropLast())) }
        #expect(throws: PolicyError.self) { try Policy(parsing: policy("command-line", texts)) }
    }
}
