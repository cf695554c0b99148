import CarnetAppraisal
import Fixtures
import CarnetEvidence
import CarnetResult
import Cryptography
import CarnetTesting
import MeasurementLogs
import TPM2
import Testing

@Suite("Appraisal against a policy and the event log (rules 1, 4, 5; security check 3.5)")
struct AppraiserTests {
    @Test("A good machine is affirmed, and the verdict says how deeply it was looked at")
    func good() throws {
        let scenario = try Scenario()
        let verdict = try scenario.outcome().verdict()
        #expect(verdict.status == .affirming && verdict.findings.isEmpty && verdict.depth == .eventLog)
        #expect(verdict.policyID == scenario.policy?.identifier && verdict.banks == ["sha256"])
        #expect(verdict.attesterClaims.secureBoot == true && verdict.attesterClaims.resetCount == 7)
        #expect(verdict.attesterClaims.tpmFirmware == "2022010100000001")
    }

    @Test("50: without a policy nothing is affirmed")
    func noPolicy() throws {
        var scenario = try Scenario()
        scenario.policy = nil
        let verdict = try scenario.outcome().verdict()
        #expect(verdict.status == .none && verdict.vector.isEmpty && verdict.policyID == nil)
        #expect(verdict.findings.map(\.rule) == ["no-policy"])
    }

    @Test("A quote for another selection than the policy's is not appraised")
    func selection() throws {
        let scenario = try Scenario()
        for pcrs in [[0, 1, 4], [0, 1, 4, 7, 8]] {
            let selection = TPM.PCRSelectionList(bank: .sha256, indices: pcrs)
            #expect(try scenario.outcome(selecting: selection).brokenRules == ["pcr-selection"])
        }
    }

    @Test("37: a log that is required and absent or empty is a broken chain; garbage is one always")
    func missingLog() throws {
        let required = try Scenario()
        #expect(try required.outcome { $0.log = nil }.brokenRules == ["event-log-missing"])
        #expect(try required.outcome { $0.log = [] }.brokenRules == ["event-log-missing"])
        #expect(try required.outcome { $0.log = [1, 2, 3] }.brokenRules == ["event-log-unreadable"])
        let optional = try Scenario(log: "optional")
        #expect(try optional.outcome { $0.log = [1, 2, 3] }.brokenRules == ["event-log-unreadable"])
        let verdict = try optional.outcome { $0.log = nil }.verdict()
        #expect(verdict.status == .affirming && verdict.depth == .pcrs && verdict.attesterClaims.secureBoot == nil)
    }

    @Test("A log without the quoted bank explains nothing")
    func missingBank() throws {
        let scenario = try Scenario()
        let outcome = try scenario.outcome { $0.log = GoodBoot.log(banks: [.sha384]).bytes }
        #expect(outcome.brokenRules == ["event-log-bank"])
    }

    @Test("29: every quoted PCR is what the log replays to, also one whose value is ignored")
    func unexplained() throws {
        var scenario = try Scenario(ignoring: [8])
        scenario.machine.registers[.sha256]?[8]?[0] ^= 1
        let outcome = try scenario.outcome()
        #expect(outcome.brokenRules == ["pcr-unexplained"])
        let finding = try #require(outcome.findings.first)
        let log = try EventLog(parsing: GoodBoot.log().bytes)
        #expect(finding.pcr == 8 && finding.event == Array(log.events).last { $0.pcr == 8 }?.index)
        #expect(finding.expected?.count == 64 && finding.found?.count == 64)
    }

    @Test("29: a PCR without events and with another value than at its start is unexplained")
    func noEvents() throws {
        var scenario = try Scenario(ignoring: [10])
        #expect(try scenario.outcome().verdict().status == .affirming, "zeros need no event")
        scenario.machine.registers[.sha256]?[10] = [UInt8](repeating: 5, count: 32)
        let outcome = try scenario.outcome()
        #expect(outcome.brokenRules == ["pcr-unexplained"] && outcome.findings.first?.event == nil)
    }

    @Test("29: the start value of PCR 0 is the one of the startup locality")
    func locality() throws {
        let boot = GoodBoot.log(startupLocality: 3), bytes = boot.bytes
        let scenario = try Scenario(booting: boot, of: boot)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: "StartupLocality\0".utf8) }) + 16
        #expect(bytes[place] == 3)
        let outcome = try scenario.outcome { $0.log?[place] = 0 }
        #expect(outcome.brokenRules == ["pcr-unexplained"] && outcome.findings.first?.pcr == 0)
    }

    @Test("A value that is allowed needs no explanation where the log is optional; another does")
    func optionalLog() throws {
        var scenario = try Scenario(ignoring: [8], log: "optional")
        #expect(try scenario.outcome { $0.log = nil }.brokenRules == ["pcr-unexplained"])
        scenario.machine.registers[.sha256]?[8]?[0] ^= 1
        #expect(try scenario.outcome().brokenRules == ["pcr-unexplained"])
        let stale = try Scenario(log: "optional")
        var other = GoodBoot.log()
        other.add(pcr: 4, .efiAction, data: [1])
        let verdict = try stale.outcome { $0.log = other.bytes }.verdict()
        #expect(verdict.status == .affirming && verdict.depth == .pcrs, "matched by value, not explained")
    }

    @Test("A tampered boot is authentic and contraindicated, and the event that did it is named")
    func tampered() throws {
        let bad = GoodBoot.log {
            $0.addImage(pcr: 4, path: "\\EFI\\BOOT\\implant.efi", image: [6, 6, 6])
            $0.addImage(pcr: 4, path: "\\EFI\\BOOT\\later.efi", image: [7])
        }
        let scenario = try Scenario(booting: bad)
        let verdict = try scenario.outcome().verdict()
        #expect(verdict.status == .contraindicated && verdict.findings.map(\.rule) == ["pcr-value"])
        let log = try EventLog(parsing: bad.bytes)
        let implant = try #require(log.events.first { $0.summary(in: .sha256).contains("implant") })
        #expect(verdict.findings.first?.event == implant.index && verdict.findings.first?.pcr == 4)
        #expect(verdict.findings.first?.description.contains("implant.efi") == true)
        #expect(verdict.findings.first?.family == .policyViolation)
    }

    @Test("Where no allowed value was ever reached, the last event is named")
    func neverReached() throws {
        var scenario = try Scenario()
        scenario.policy = try Scenario.policy(
            [.sha256: [4: [UInt8](repeating: 0xAB, count: 32)]], pinning: [4])
        let verdict = try scenario.outcome().verdict()
        let log = try EventLog(parsing: GoodBoot.log().bytes)
        #expect(verdict.findings.first?.event == Array(log.events).last { $0.pcr == 4 }?.index)
    }

    @Test("Any of several values is allowed")
    func alternatives() throws {
        var scenario = try Scenario()
        let value = try #require(scenario.machine.registers[.sha256]?[4]).hex
        let other = String(repeating: "ab", count: 32)
        let text = "version: 1\nid: t\nbanks:\n  sha256:\n    4: [\(other), \(value)]\n"
        scenario.policy = try Policy(parsing: Array(text.utf8))
        #expect(try scenario.outcome().verdict().status == .affirming)
        scenario.policy = try Policy(
            parsing: Array(text.replacing(value, with: String(repeating: "cd", count: 32)).utf8))
        #expect(try scenario.outcome().verdict().status == .contraindicated)
    }

    @Test("22: where several banks are quoted, each has to hold")
    func banks() throws {
        let log = GoodBoot.log(banks: [.sha256, .sha384])
        var scenario = try Scenario(booting: log, of: log)
        let verdict = try scenario.outcome().verdict()
        #expect(verdict.status == .affirming && verdict.banks == ["sha256", "sha384"])
        scenario.machine.registers[.sha384]?[4]?[0] ^= 1
        #expect(try scenario.outcome().brokenRules == ["pcr-unexplained"])
    }

    @Test("Every finding tells what to do")
    func remedies() throws {
        let bad = GoodBoot.log(secureBoot: 0) { $0.add(pcr: 4, .efiAction, data: [1]) }
        let scenario = try Scenario(booting: bad)
        let findings = try scenario.outcome().verdict().findings
        #expect(findings.map(\.pcr) == [4, 7])
        #expect(findings.allSatisfy { !$0.remedy.isEmpty && $0.expected != nil && $0.found != nil })
    }
}
