import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// The policy pins exactly what was measured: only what the log says of itself is in question.
@Suite("What is odd about a log is told, and decides nothing; what is wrong decides")
struct BootRemarkTests {
    static let pcrs = Array(0..<10) + [11, 12, 13, 14, 15]

    static func verdict(_ log: EventLogBuilder, pcrs: [Int] = pcrs) throws -> Verdict {
        try Scenario(booting: log, pinning: pcrs, of: log).outcome().verdict()
    }

    /// The last event that the change added.
    static func event(_ log: EventLogBuilder, pcr: Int) throws -> Int? {
        Array(try EventLog(parsing: log.bytes).events).last { $0.pcr == pcr }?.index
    }

    static let variable = LogMeaningTests.variable(5, name: "Boot0001")

    struct Oddity: Sendable, CustomTestStringConvertible {
        let rule: String
        let pcr: Int
        let change: @Sendable (inout EventLogBuilder) -> Void
        var testDescription: String { rule }
    }

    static let oddities: [Oddity] = [
        Oddity(rule: "shim-trailing-byte", pcr: 7) { log in
            let data = UEFIVariable.shimVendor + [UInt8](repeating: 0, count: 20)
            log.add(pcr: 7, .efiVariableAuthority, data: data + [0], measuring: data)
        },
        Oddity(rule: "grub-trailing-zero", pcr: 8) {
            $0.add(pcr: 8, .ipl, data: Array("grub_cmd: a\0".utf8), measuring: Array("a\0".utf8))
        },
        Oddity(rule: "whole-boot-variable", pcr: 1) { $0.add(pcr: 1, .efiVariableBoot, data: variable) },
        Oddity(rule: "bare-boot-variable", pcr: 1) {
            $0.add(pcr: 1, .efiVariableBoot2, data: variable, measuring: [5])
        },
        Oddity(rule: "unexplained-boot-variable", pcr: 1) {
            $0.add(pcr: 1, .efiVariableBoot, data: variable, measuring: [6])
        },
        Oddity(rule: "command-line-trailing-zero", pcr: 12) { $0.add(pcr: 12, .ipl, data: [0x61, 0, 0, 0]) },
        Oddity(rule: "changed-data", pcr: 8) {
            $0.add(pcr: 8, .ipl, data: Array("grub_cmd: a\0".utf8), measuring: Array("b".utf8))
        },
        Oddity(rule: "incomplete-section", pcr: 11) {
            $0.add(pcr: 11, .ipl, data: [], measuring: Array(".linux\0".utf8))
        },
        Oddity(rule: "dma-protection-disabled", pcr: 7) {
            $0.add(pcr: 7, .efiAction, data: Array("DMA Protection Disabled".utf8))
        },
        Oddity(rule: "alien-type", pcr: 8) { $0.add(pcr: 8, .eventTag, data: [1]) },
        Oddity(rule: "alien-type", pcr: 9) { $0.add(pcr: 9, .separator, data: [1]) },
        Oddity(rule: "alien-type", pcr: 11) { $0.add(pcr: 11, .efiAction, data: [1]) },
        Oddity(rule: "alien-type", pcr: 13) { $0.add(pcr: 13, .efiAction, data: [1]) },
        Oddity(rule: "alien-type", pcr: 14) { $0.add(pcr: 14, .efiAction, data: [1]) },
        Oddity(rule: "alien-type", pcr: 15) { $0.add(pcr: 15, .ipl, data: [1]) },
    ]

    @Test(
        "Each oddity is a remark with its PCR and event, and the verdict is that of the good boot", arguments: oddities)
    func remark(oddity: Oddity) throws {
        let log = GoodBoot.log(adding: oddity.change)
        let verdict = try Self.verdict(log), good = try Self.verdict(GoodBoot.log())
        #expect(verdict.status == .affirming && verdict.vector == good.vector && verdict.depth == good.depth)
        #expect(verdict.attesterClaims.secureBoot == true && good.findings.isEmpty)
        let remark = try #require(verdict.findings.first)
        #expect(verdict.findings.count == 1 && remark.family == .remark && remark.rule == oddity.rule)
        #expect(
            try remark.pcr == oddity.pcr && remark.bank == "sha256" && remark.event == Self.event(log, pcr: oddity.pcr))
        #expect(remark.description.contains("PCR \(oddity.pcr), event ") && !remark.remedy.isEmpty)
        // Where the PCR is not quoted, the log is not believed, and nothing is told.
        #expect(try Self.verdict(log, pcrs: Self.pcrs.filter { $0 != oddity.pcr }).findings.isEmpty)
    }

    @Test("Separators of ones, none, and events after the firmware was left are remarks", arguments: 0..<7)
    func separators(pcr: Int) throws {
        var none = EventLogBuilder(), ones = EventLogBuilder(), late = GoodBoot.log()
        for other in 0..<8 {
            let isOther = other != pcr
            none.add(pcr: other, isOther ? .separator : .action, data: isOther ? [0, 0, 0, 0] : [0x41])
            ones.add(pcr: other, .separator, data: [UInt8](repeating: isOther ? 0 : 0xFF, count: 4))
        }
        late.add(pcr: pcr, .action, data: Array("late".utf8))
        let expected = [(none, "missing-separator"), (ones, "separator-of-ones"), (late, "after-exit-boot-services")]
        for (log, rule) in expected {
            let verdict = try Self.verdict(log, pcrs: Array(0..<8))
            #expect(verdict.status == .affirming && verdict.findings.map(\.rule) == [rule], "\(verdict.findings)")
            #expect(verdict.findings.allSatisfy { $0.family == .remark && $0.pcr == pcr })
        }
    }

    @Test("A log that does not lead to the quoted value of a PCR tells nothing odd about it")
    func unexplained() throws {
        let scenario = try Scenario(log: "optional")
        let other = GoodBoot.log { $0.add(pcr: 1, .efiVariableBoot, data: Self.variable) }
        let verdict = try scenario.outcome { $0.log = other.bytes }.verdict()
        #expect(verdict.status == .affirming && verdict.depth == .pcrs && verdict.findings.isEmpty)
    }

    @Test("Violations come before remarks")
    func order() throws {
        let log = GoodBoot.log {
            $0.add(pcr: 1, .efiVariableBoot, data: Self.variable)
            $0.add(pcr: 3, .ipl, data: [1])
        }
        #expect(try Self.verdict(log).findings.map(\.family) == [.policyViolation, .remark])
    }

    @Test("A database that cannot be read is a remark")
    func database() throws {
        var log = EventLogBuilder()
        log.addVariable(pcr: 7, .efiVariableDriverConfig, name: "PK", value: [1])
        for pcr in 0..<8 { log.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
        let verdict = try Self.verdict(log, pcrs: [0, 4, 7])
        #expect(verdict.status == .affirming && verdict.findings.map(\.rule) == ["unreadable-database"])
    }

    @Test("The same oddity many times is one remark that counts them, and many violations of a PCR are cut")
    func many() throws {
        let log = GoodBoot.log { log in
            for _ in 0..<300 { log.add(pcr: 1, .efiVariableBoot, data: Self.variable) }
        }
        let remark = try #require(Self.verdict(log).findings.first)
        #expect(remark.description.contains("and 299 more") && remark.rule == "whole-boot-variable")
        let aliens = GoodBoot.log { log in
            for pcr in [0, 2] { for _ in 0..<300 { log.add(pcr: pcr, .ipl, data: [1]) } }
        }
        let findings = try Self.verdict(aliens).findings
        #expect(findings.filter { $0.pcr == 0 }.count == 20 && findings.filter { $0.pcr == 2 }.count == 20)
    }

    @Test("With two banks violations are told of both, remarks once")
    func banks() throws {
        let log = GoodBoot.log(banks: [.sha256, .sha384]) { log in
            log.add(pcr: 1, .efiVariableBoot, data: Self.variable)
            log.add(pcr: 3, .ipl, data: [1])
        }
        let findings = try Self.verdict(log).findings
        #expect(findings.map(\.rule) == ["event-type", "event-type", "whole-boot-variable"])
        #expect(findings.map(\.bank) == ["sha256", "sha384", "sha256"])
    }

    @Test(
        "An event of a type that nobody measures into a PCR of the firmware is a violation that says which",
        arguments: 0..<8)
    func alien(pcr: Int) throws {
        for type in [EventType.init(rawValue: 2), .init(rawValue: 0x8000_00FF), .runtimeMeasurement, .efiHCRTMEvent] {
            guard !type.belongs(inPCR: pcr) else { continue }
            for measured: [UInt8] in [[1], [2]] {
                let log = GoodBoot.log { $0.add(pcr: pcr, type, data: [1], measuring: measured) }
                let verdict = try Self.verdict(log)
                #expect(verdict.status == .contraindicated && verdict.findings.count == 1, "\(verdict.findings)")
                let finding = try #require(verdict.findings.first)
                #expect(finding.family == .policyViolation && finding.rule == "event-type" && finding.pcr == pcr)
                #expect(finding.found == type.description && finding.expected?.contains("EV_SEPARATOR") == true)
                #expect(try finding.event == Self.event(log, pcr: pcr) || pcr == 5)
                #expect(finding.description.contains("\(type)") && !finding.remedy.isEmpty)
                #expect(try Self.verdict(log, pcrs: Self.pcrs.filter { $0 != pcr }).findings.isEmpty)
            }
        }
    }

    @Test("A label grants nothing: under every type a bad component stays one")
    func labels() throws {
        let text = ComponentPolicyTests.good
        for pcr in [0, 2, 4] {
            for type in (0..<8).flatMap(EventType.known(inPCR:)) {
                let log = GoodBoot.log {
                    $0.add(pcr: pcr, type, data: [UInt8](repeating: 0, count: 32), measuring: Array("implant".utf8))
                }
                var scenario = try Scenario(booting: log)
                scenario.policy = try Policy(parsing: Array(text.utf8))
                let verdict = try scenario.outcome().verdict()
                #expect(verdict.status == .contraindicated, "\(type) in PCR \(pcr)")
                #expect(verdict.findings.contains { $0.rule == "component-unknown" && $0.pcr == pcr })
            }
        }
    }

    @Test("Shim's way to log is shim's in PCR 7 only; elsewhere the data is not what was measured", arguments: 0..<7)
    func shimElsewhere(pcr: Int) throws {
        let data = UEFIVariable.shimVendor + [UInt8](repeating: 0, count: 20)
        for type in [EventType.efiVariableDriverConfig, .action, .efiAction, .efiGPTEvent]
        where type.belongs(inPCR: pcr) {
            let log = GoodBoot.log { $0.add(pcr: pcr, type, data: data + [0], measuring: data) }
            #expect(try Self.verdict(log).findings.map(\.rule) == ["event-data"])
        }
    }

    @Test("In PCR 7 covered data has to be of the kind that its type says")
    func misplaced() throws {
        let variable = LogMeaningTests.variable(1, name: "Other")
        for (type, data) in [
            (EventType.efiAction, variable), (.efiVariableDriverConfig, [1]), (.efiVariableAuthority, [1]),
        ] {
            let log = GoodBoot.log { $0.add(pcr: 7, type, data: data) }
            let verdict = try Self.verdict(log)
            #expect(verdict.findings.map(\.rule) == ["event-type"] && verdict.status == .contraindicated)
            #expect(verdict.attesterClaims.secureBoot == nil)
        }
    }

    @Test("A Secure Boot variable that is measured again is a violation, before the separator and after it")
    func repeated() throws {
        let on = LogMeaningTests.variable(1)
        let after = GoodBoot.log { $0.add(pcr: 7, .efiVariableDriverConfig, data: on) }
        var before = EventLogBuilder()
        for _ in 0..<2 { before.add(pcr: 7, .efiVariableDriverConfig, data: on) }
        for pcr in [0, 4, 7] { before.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
        for log in [after, before] {
            let verdict = try Self.verdict(log, pcrs: [0, 4, 7])
            #expect(verdict.findings.map(\.rule) == ["event-type"] && verdict.status == .contraindicated)
            #expect(verdict.findings.first?.remedy.contains("restart") == true)
        }
    }

    @Test(
        "Real machines' oddities are remarks",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"),
        arguments: [
            ("go-attestation/crypto_agile_eventlog", ["whole-boot-variable"], "and 6 more"),
            ("tpm2-tools/event-arch-linux", ["whole-boot-variable"], "and 3 more"),
            ("keylime/mb_log", [], ""),
        ])
    func real(name: String, rules: [String], count: String) throws {
        var scenario = try Scenario()
        try scenario.machine.boot(SharedFixtures.bytes("fixtures/tcg-eventlog/\(name).bin"))
        scenario.policy = try Scenario.policy(scenario.machine.registers, pinning: RealMachineTests.pcrs)
        let verdict = try scenario.outcome().verdict()
        #expect(verdict.status == .affirming && verdict.findings.map(\.rule) == rules, "\(verdict.findings)")
        #expect(verdict.findings.allSatisfy { $0.description.contains(count) })
    }
}
