import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// Policies that name components instead of PCR values.
@Suite("Appraisal by component")
struct ComponentPolicyTests {
    /// The digest in the SHA-256 bank of an image or a file of ``GoodBoot``.
    private static func digest(_ content: String) -> String {
        "sha256:" + HashAlgorithm.sha256.hash(Array(content.utf8)).hex
    }

    /// A boot with an unknown boot loader.
    static let tampered = GoodBoot.log {
        $0.addImage(pcr: 4, path: "\\EFI\\BOOT\\implant.efi", image: Array("implant".utf8))
    }

    static let command = "linux /vmlinuz root=/dev/mapper/system ro quiet"

    static let good = """
        version: 1
        id: components
        nodes: {labels: {role: worker, site: [fra, ams]}}
        banks:
          sha256: {0: ignore, 1: ignore, 2: ignore, 4: ignore, 5: ignore, 7: ignore, 8: ignore, 9: ignore}
        boot: {secure_boot: required, firmware_versions: ["2.1?*"]}
        components:
          firmware: {allow: ["\(digest("firmware volume"))"]}
          driver: {allow: ["\(digest("option ROM"))"]}
          application:
            allow:
              - {digest: "\(digest("shim"))", name: shim 15.8}
              - {digest: "\(digest("grub"))", name: grub 2.12}
          command: {allow: ["linux /vmlinuz root=/dev/mapper/* ro quiet"]}
          file:
            allow: ["\(digest("kernel"))", "\(digest("initrd"))"]
        """

    private func scenario(_ text: String = good, booting log: EventLogBuilder = GoodBoot.log()) throws -> Scenario {
        var scenario = try Scenario(booting: log)
        scenario.policy = try Policy(parsing: Array(text.utf8))
        return scenario
    }

    private func error(_ from: String, _ to: String) -> PolicyError? {
        let text = Self.good.replacing(from, with: to, maxReplacements: 1)
        guard text != Self.good else { return nil }
        do throws(PolicyError) {
            _ = try Policy(parsing: Array(text.utf8))
            return nil
        } catch { return error }
    }

    @Test("A boot whose every component is allowed is affirmed, whatever the PCR values are")
    func allowed() throws {
        let verdict = try scenario().outcome().verdict()
        #expect(verdict.status == .affirming && verdict.findings.isEmpty && verdict.depth == .eventLog)
        #expect(verdict.vector[.executables] == 3 && verdict.vector[.hardware] == 2)
        #expect(verdict.vector[.configuration] == 2 && verdict.vector[.runtimeOpaque] == nil)
    }

    @Test("A component that nothing allows is named with its PCR, its event and its digest")
    func unknown() throws {
        let verdict = try scenario(booting: Self.tampered).outcome().verdict()
        let finding = try #require(verdict.findings.first)
        #expect(verdict.status == .contraindicated && verdict.findings.count == 1)
        #expect(finding.rule == "component-unknown" && finding.pcr == 4 && finding.description.contains("implant.efi"))
        #expect(finding.found == HashAlgorithm.sha256.hash(Array("implant".utf8)).hex)
        #expect(finding.expected == "shim 15.8, grub 2.12" && verdict.vector[.executables] == 96)
    }

    @Test(
        "Every class is judged by its PCR",
        arguments: [
            ("firmware volume", "firmware", 0), ("option ROM", "driver", 2), ("shim", "application", 4),
            ("kernel", "file", 9), ("initrd", "file", 9),
        ])
    func classes(content: String, kind: String, pcr: Int) throws {
        let text = Self.good.replacing(Self.digest(content), with: Self.digest("another"))
        let verdict = try scenario(text).outcome().verdict()
        #expect(verdict.findings.map(\.rule) == ["component-unknown"] && verdict.findings.first?.pcr == pcr)
        #expect(verdict.findings.first?.description.contains(kind) == true)
    }

    @Test("An image is asked about although the log shows every byte that its digest covers")
    func shownImage() throws {
        // Authenticode's digest is a plain digest of most of the file: whoever has the file can log what was hashed.
        let image = Array("MZ".utf8) + [UInt8](repeating: 0, count: 200),
            variable =
                UEFIVariable.globalVendor
                + [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0x4D, 0, 7, 7]
        for data in [image, variable, [UInt8](repeating: 0x41, count: 129), [0x4D, 0x5A, 0, 1]] {
            for (pcr, type) in [(4, EventType.efiAction), (4, .efiBootServicesApplication), (2, .efiAction), (4, .ipl)]
            {
                let log = GoodBoot.log { $0.add(pcr: pcr, type, data: data) }
                let verdict = try scenario(booting: log).outcome().verdict()
                #expect(verdict.findings.map(\.rule) == ["component-unknown"] && verdict.findings.first?.pcr == pcr)
            }
        }
        let blob = GoodBoot.log {
            $0.add(pcr: 0, .efiPlatformFirmwareBlob, data: [UInt8](repeating: 7, count: 257))
        }
        #expect(try scenario(booting: blob).outcome().verdict().findings.map(\.pcr) == [0])
        let action = GoodBoot.log {
            $0.add(pcr: 4, .efiAction, data: Array("Returning from EFI Application from Boot Option".utf8))
        }
        #expect(try scenario(booting: action).outcome().verdict().status == .affirming)
    }

    @Test("Command lines are matched as a whole, and a pattern stops at slashes")
    func commands() throws {
        for pattern in ["linux /vmlinuz root=/dev/mapper/system ro quiet", "linux ** quiet"] {
            let text = Self.good.replacing("linux /vmlinuz root=/dev/mapper/* ro quiet", with: pattern)
            #expect(try scenario(text).outcome().verdict().status == .affirming)
        }
        for pattern in ["linux * ro quiet", "linux /vmlinuz", "/vmlinuz**"] {
            let text = Self.good.replacing("linux /vmlinuz root=/dev/mapper/* ro quiet", with: pattern)
            let finding = try #require(scenario(text).outcome().verdict().findings.first)
            #expect(finding.pcr == 8 && finding.found == Self.command)
        }
        // A command that the log does not show is none that a pattern allows.
        var hidden = GoodBoot.log()
        hidden.add(pcr: 8, .ipl, data: Array("grub_cmd: \(Self.command)\0".utf8), measuring: Array("evil".utf8))
        let rules = try scenario(booting: hidden).outcome().verdict().findings.map(\.rule)
        #expect(rules == ["component-unknown", "changed-data"])
    }

    @Test("What is not listed is refused, warned of or accepted, as the rule says")
    func others() throws {
        let log = Self.tampered
        func text(_ others: String) -> String {
            Self.good.replacing("  application:\n", with: "  application:\n    others: \(others)\n")
        }
        #expect(try scenario(text("refuse"), booting: log).outcome().verdict().status == .contraindicated)
        let warned = try scenario(text("warn"), booting: log).outcome().verdict()
        #expect(warned.status == .warning && warned.findings.count == 1 && warned.vector[.executables] == 33)
        let accepted = try scenario(
            text("accept").replacing("sha256: {0: ignore", with: "sha256: {0: \(try pinned(0))"), booting: log
        ).outcome().verdict()
        #expect(accepted.status == .affirming && accepted.findings.isEmpty && accepted.vector[.executables] == nil)
    }

    @Test("A digest that stands there several times counts whenever one of its windows does")
    func manyWindows() throws {
        // Days of December 2026; the second begins where the first ends, two overlap, the last is in another.
        let windows = [(1, 3), (3, 4), (20, 25), (8, 12), (10, 14), (21, 22)]
        let entries = windows.map { from, until in
            "{digest: \"\(Self.digest("grub"))\", from: \"2026-12-\(Self.day(from))\", until: \"2026-12-\(Self.day(until))\"}"
        }
        let scenario = try scenario(
            Self.good.replacing(
                "{digest: \"\(Self.digest("grub"))\", name: grub 2.12}", with: entries.joined(separator: "\n      - ")))
        let first: Int64 = 1_796_083_200
        for day in 0...26 {
            for second: Int64 in [0, 86_399] {
                let isIn = windows.contains { $0.0 <= day && day < $0.1 }
                let verdict = try scenario.outcome(at: first + Int64(day - 1) * 86_400 + second).verdict()
                #expect(verdict.findings.map(\.rule) == (isIn ? [] : ["component-window"]), "day \(day)")
            }
        }
    }

    private static func day(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }

    @Test("A text that stands there several times counts whenever one of its windows does")
    func textWindows() throws {
        let allow = """
            - {text: "linux **", until: "2026-12-01"}
                  - {text: "** quiet", from: "2026-12-03"}
            """
        let text = Self.good.replacing(
            "command: {allow: [\"linux /vmlinuz root=/dev/mapper/* ro quiet\"]}",
            with: "command:\n    allow:\n      " + allow)
        let first: Int64 = 1_796_083_200, scenario = try scenario(text)
        for (time, rules) in [(first - 1, []), (first, ["component-window"]), (first + 172_800, [])] {
            #expect(try scenario.outcome(at: time).verdict().findings.map(\.rule) == rules)
        }
    }

    @Test("Ten thousand digests are allowed as one is, and the last of them is found")
    func manyDigests() throws {
        let others = (0..<9_998).map { "\"sha256:\(HashAlgorithm.sha256.hash(Array("file \($0)".utf8)).hex)\"" }
        let text = Self.good.replacing(
            "allow: [\"\(Self.digest("kernel"))\"",
            with: "allow: [\(others.joined(separator: ", ")), \"\(Self.digest("kernel"))\"")
        #expect(try scenario(text).outcome().verdict().status == .affirming)
        let more = text.replacing(
            "allow: [\"sha256:", with: "allow: [\"\(Self.digest("x"))\", \"sha256:", maxReplacements: 1)
        #expect(throws: Never.self) { try Policy(parsing: Array(text.utf8)) }
        #expect(more != text)
    }

    private func pinned(_ pcr: Int) throws -> String { try #require(Scenario().machine.registers[.sha256]?[pcr]).hex }

    @Test("A value for the next update counts from its day on, and an old one until it retires")
    func windows() throws {
        let text = Self.good.replacing(
            "{digest: \"\(Self.digest("grub"))\", name: grub 2.12}",
            with: """
                {digest: "\(Self.digest("grub"))", from: "2026-12-01", until: "2026-12-31T12:00:00Z"}
                """)
        #expect(text != Self.good)
        let first: Int64 = 1_796_083_200, last: Int64 = 1_798_718_400
        let scenario = try scenario(text)
        for (time, isGood) in [(first - 1, false), (first, true), (last - 1, true), (last, false)] {
            let verdict = try scenario.outcome(at: time).verdict()
            #expect(verdict.status == (isGood ? .affirming : .contraindicated), "\(time)")
            #expect(isGood || verdict.findings.first?.rule == "component-window")
        }
        let value = try pinned(4)
        let pinning = Self.good.replacing(
            "4: ignore", with: "4: [{value: \"\(value)\", until: 2026-12-01}, \(String(repeating: "ab", count: 32))]")
        let template = try self.scenario(pinning)
        #expect(try template.outcome(at: first - 1).verdict().status == .affirming)
        let retired = try template.outcome(at: first).verdict()
        #expect(retired.findings.map(\.rule) == ["pcr-value"])
        #expect(retired.findings.first?.remedy.contains("its time is not now") == true)
    }

    @Test("Secure Boot and the firmware's version are demanded by name")
    func boot() throws {
        let off = try scenario(booting: GoodBoot.log(secureBoot: 0)).outcome().verdict()
        #expect(off.findings.map(\.rule) == ["secure-boot"] && off.findings.first?.found == "disabled")
        let wanted = Self.good.replacing("secure_boot: required", with: "secure_boot: disabled")
        #expect(try scenario(wanted, booting: GoodBoot.log(secureBoot: 0)).outcome().verdict().status == .affirming)
        #expect(try scenario(wanted).outcome().verdict().findings.map(\.rule) == ["secure-boot"])
        let version = Self.good.replacing("\"2.1?*\"", with: "\"2.20*\"")
        let old = try #require(scenario(version).outcome().verdict().findings.first)
        #expect(old.rule == "firmware-version" && old.found?.hasPrefix("2.19") == true && old.pcr == 0)
    }

    @Test("A label says for which machines a policy is")
    func selector() throws {
        let policy = try Policy(parsing: Array(Self.good.utf8))
        #expect(policy.nodes.selects(["role": "worker", "site": "ams", "rack": "7"]))
        for labels in [[:], ["role": "worker"], ["role": "worker", "site": "lon"], ["site": "fra"]] {
            #expect(!policy.nodes.selects(labels))
        }
        #expect(NodeSelector.all.selects([:]))
    }

    @Test(
        "Every fault is named by its member",
        arguments: [
            ("firmware:", "firmwares:", "components.firmwares"), ("4: ignore, ", "", "components.application"),
            ("name: grub 2.12", "named: grub", "components.application.allow.named"),
            ("sha256:", "sha1:", "banks.sha1"), ("secure_boot: required", "secure_boot: yes", "boot.secure_boot"),
            ("\"2.1?*\"", "\"**\"", "boot.firmware_versions"),
            ("linux /vmlinuz root", "***", "components.command.allow"),
            ("{role: worker, ", "{\"ro le\": worker, ", "nodes.labels.ro le"),
            ("labels: {", "label: {", "nodes.labels"), ("id: components", "id: c\nevent_log: optional", "components"),
            ("name: shim 15.8", "from: tomorrow", "components.application.allow.from"),
            ("name: shim 15.8", "from: 2026-02-30", "components.application.allow.from"),
            ("name: shim 15.8", "from: 2026-03-02, until: 2026-03-01", "components.application.allow.until"),
            ("  command: {allow: [", "  command: {others: some, allow: [", "components.command.others"),
            ("runs: x", "", ""),
        ].filter { !$0.2.isEmpty })
    func faults(from: String, to: String, member: String) throws {
        let found = try #require(error(from, to))
        #expect(found.member == member && found.line != nil && !found.reason.isEmpty, "\(found)")
    }

    @Test("What is demanded of the firmware needs the log that says it")
    func bootNeedsLog() {
        let text =
            "version: 1\nid: b\nevent_log: optional\nbanks: {sha256: {7: ignore}}\nboot: {secure_boot: required}\n"
        let error = #expect(throws: PolicyError.self) { try Policy(parsing: Array(text.utf8)) }
        #expect(error?.member == "boot")
        #expect(throws: Never.self) { try Policy(parsing: Array(text.replacing("optional", with: "required").utf8)) }
    }

    @Test("A policy that only warns, or allows without refusing, accepts every machine and is none")
    func demandsNothing() {
        let text = """
            version: 1
            id: lax
            banks: {sha256: {4: ignore}}
            components: {application: {others: warn}}
            """
        #expect(throws: PolicyError.self) { try Policy(parsing: Array(text.utf8)) }
        #expect(throws: Never.self) {
            try Policy(parsing: Array(text.replacing("warn", with: "refuse").utf8))
        }
    }
}
