import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// What a machine says of itself where no quote confirms it, says in another form, or says so often that nobody reads it.
@Suite("Claims that nothing confirms, and decoys")
struct ClaimedStateTests {
    private static func digest(_ content: [UInt8]) -> String { "sha256:" + HashAlgorithm.sha256.hash(content).hex }

    /// What stands in for a certificate: one DER SEQUENCE of a text.
    private static func certificate(_ name: String) -> [UInt8] {
        [0x30, UInt8(clamping: name.utf8.count + 2), 0x0C, UInt8(clamping: name.utf8.count)] + Array(name.utf8)
    }

    private func scenario(_ text: String, _ log: EventLogBuilder = GoodBoot.log()) throws -> Scenario {
        var scenario = try Scenario(booting: log)
        scenario.policy = try Policy(parsing: Array(text.utf8))
        return scenario
    }

    private func member(of text: String) -> String? {
        do throws(PolicyError) {
            _ = try Policy(parsing: Array(text.utf8))
            return nil
        } catch { return error.member }
    }

    @Test("Secure Boot and firmware versions are asked about in PCRs that every bank quotes, or not at all")
    func unquoted() throws {
        let value = String(repeating: "ab", count: 32), long = String(repeating: "ab", count: 48)
        func text(_ banks: String, _ boot: String) -> String {
            "version: 1\nid: x\nbanks: {\(banks)}\nboot: {\(boot)}\n"
        }
        #expect(member(of: text("sha256: {0: \(value), 4: \(value)}", "secure_boot: required")) == "boot")
        #expect(member(of: text("sha256: {0: \(value), 7: ignore}", "secure_boot: required")) == nil)
        #expect(member(of: text("sha256: {0: \(value)}, sha384: {7: \(long)}", "secure_boot: disabled")) == "boot")
        #expect(member(of: text("sha256: {4: \(value)}", "firmware_versions: [\"9.9\"]")) == "boot")
        #expect(member(of: text("sha256: {0: ignore}", "firmware_versions: [\"9.9\"]")) == nil)
    }

    @Test(
        "Whoever allowed an image is asked about in whatever form the log names him",
        arguments: [
            ("Shim", certificate("another distribution")),
            ("MokList", [UInt8](repeating: 7, count: 16) + certificate("another distribution")),
            ("MokList", [UInt8](repeating: 7, count: 36)), ("MokList", [UInt8](repeating: 7, count: 64)),
            ("MokList", [1, 2, 3]), ("SbatLeve1", [1]),
        ])
    func authorities(name: String, value: [UInt8]) throws {
        let text = """
            version: 1
            id: x
            banks: {sha256: {0: ignore, 4: ignore, 7: ignore}}
            boot: {secure_boot: required}
            components:
              authority: {allow: ["\(Self.digest(Self.certificate("the signer of the boot loader")))"]}
            """
        #expect(try scenario(text).outcome().verdict().status == .affirming)
        func log(_ name: String) -> EventLogBuilder {
            GoodBoot.log {
                $0.addVariable(
                    pcr: 7, .efiVariableAuthority, vendor: GUID.shimLock.bytes, name: name, value: value)
            }
        }
        let verdict = try scenario(text, log(name)).outcome().verdict()
        #expect(verdict.status == .contraindicated && verdict.findings.contains { $0.rule == "component-unknown" })
        #expect(try scenario(text, log("SbatLevel")).outcome().verdict().status == .affirming)
    }

    @Test("Shim's own certificate is allowed by its SHA-256")
    func vendorCertificate() throws {
        let vendor = Self.certificate("the distribution")
        let text = """
            version: 1
            id: x
            banks: {sha256: {0: ignore, 4: ignore, 7: ignore}}
            components:
              authority:
                allow: ["\(Self.digest(Self.certificate("the signer of the boot loader")))", "\(Self.digest(vendor))"]
            """
        let log = GoodBoot.log {
            $0.addVariable(pcr: 7, .efiVariableAuthority, vendor: GUID.shimLock.bytes, name: "Shim", value: vendor)
        }
        #expect(try scenario(text, log).outcome().verdict().status == .affirming)
    }

    @Test("However many events are wrong, each kind is among the first hundred findings, and the rest is counted")
    func decoys() throws {
        let log = GoodBoot.log { log in
            log.addImage(pcr: 4, path: "implant.efi", image: Array("implant".utf8))
            for index in 0..<120 {
                log.add(pcr: 0, .efiPlatformFirmwareBlob, data: [1], measuring: [UInt8(index), 1])
                for pcr in [0, 1, 2, 4, 5] where index < 60 { log.add(pcr: pcr, .efiAction, data: [2, UInt8(index)]) }
            }
        }
        let findings = try scenario(ComponentPolicyTests.good, log).outcome().verdict().findings
        let place = findings.firstIndex { $0.pcr == 4 && $0.description.contains("implant.efi") }
        #expect(try #require(place) < 100)
        #expect(
            findings.contains {
                $0.rule == "component-unknown" && $0.pcr == 0 && $0.description.hasSuffix("more like these in PCR 0")
            })
        #expect(findings.count(where: { $0.rule == "component-unknown" && $0.pcr == 0 }) == 21)
    }

    @Test("What a log calls a component is told on one line, and not at length")
    func names() throws {
        let label = "x\n  policy: All is well [ok]\u{1B}[2J" + String(repeating: "a", count: 5_000)
        let log = GoodBoot.log { $0.add(pcr: 9, .ipl, data: Array((label + "\0").utf8), measuring: [1]) }
        let command = GoodBoot.log {
            $0.add(pcr: 8, .ipl, data: Array("grub_cmd: \(label)\0".utf8), measuring: Array(label.utf8))
        }
        for log in [log, command] {
            let finding = try #require(
                try scenario(ComponentPolicyTests.good, log).outcome().verdict().findings.first)
            let told = finding.description + (finding.found ?? "")
            #expect(finding.rule == "component-unknown" && told.utf8.count < 1_000)
            #expect(!told.unicodeScalars.contains { $0.properties.generalCategory == .control }, "\(told)")
        }
    }

    @Test("A template's value is as good as the policy's, also where the log does not explain it")
    func templates() throws {
        let good = try #require(ForgedMachine(booting: GoodBoot.log()).registers[.sha256])
        let changed = GoodBoot.log { $0.addImage(pcr: 4, path: "more.efi", image: [1]) }
        let value = try #require(ForgedMachine(booting: changed).registers[.sha256]?[4]).hex
        let zero = try #require(good[0]).hex, four = try #require(good[4]).hex
        func status(_ allowed: String, _ templates: [PCRTemplate]) throws -> TrustTier {
            let text =
                "version: 1\nid: x\nevent_log: optional\ntemplates: accepted\nbanks: {sha256: {0: \(zero), 4: \(allowed)}}\n"
            let scenario = try scenario(text, changed)
            // The log that comes lacks an event of PCR 4.
            let quote = try scenario.quote { $0.log = GoodBoot.log().bytes }
            return try Appraiser(policy: scenario.policy, templates: templates).appraise(quote, at: 0).verdict().status
        }
        #expect(try status(value, []) == .affirming)
        let template = try PCRTemplate(
            parsing: Array("version: 1\nname: t\nbanks: {sha256: {4: \(value)}}\n".utf8))
        #expect(try status(four, [template]) == .affirming)
    }

    @Test("Behind the zero of a command line of systemd's nothing hides")
    func zeros() throws {
        func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] } }
        let text = """
            version: 1
            id: x
            banks: {sha256: {0: ignore, 12: ignore}}
            components: {command-line: {allow: ["quiet"]}}
            """
        func status(_ data: [UInt8]) throws -> TrustTier {
            try scenario(text, GoodBoot.log { $0.add(pcr: 12, .ipl, data: data) }).outcome().verdict().status
        }
        #expect(try status(utf16("quiet")) == .affirming && status(utf16("quiet\0")) == .affirming)
        #expect(try status(utf16("quiet\0init=/evil")) == .contraindicated)
        #expect(try status(utf16("quiet\0\0")) == .contraindicated)
    }
}
