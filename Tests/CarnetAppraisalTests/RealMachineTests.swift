import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Fixtures
import MeasurementLogs
import TPM2
import Testing

@Suite(
    "Logs and PCRs of machines that really booted, appraised",
    .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
struct RealMachineTests {
    static let pcrs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14]

    /// A machine with the log and the quoted values of one of the shared folders, and a key of ours.
    static func machine(_ name: String) throws -> ForgedMachine {
        let folder = "fixtures/measured-boot/\(name)/"
        var machine = try ForgedMachine()
        machine.log = try SharedFixtures.bytes(folder + "eventlog.bin")
        machine.registers = try RealPCRs.values(folder + "quote_pcrs.yaml")
        return machine
    }

    /// The machine against the values of another.
    static func scenario(_ name: String, against reference: String? = nil) throws -> Scenario {
        var scenario = try Scenario()
        scenario.machine = try machine(name)
        scenario.policy = try Scenario.policy(machine(reference ?? name).registers, pinning: pcrs)
        return scenario
    }

    @Test(
        "Each is affirmed by its own values, its Secure Boot state told",
        arguments: ["direct", "grub-sb", "uki", "uki-sb", "uki-cmdline", "uki-violation", "uki-sha256"])
    func own(name: String) throws {
        let verdict = try Self.scenario(name).outcome().verdict()
        #expect(verdict.status == .affirming && verdict.findings.isEmpty && verdict.depth == .eventLog)
        #expect(verdict.attesterClaims.secureBoot == name.hasSuffix("-sb"))
        #expect(verdict.vector[.executables] == 3 && verdict.vector[.hardware] == 2)
    }

    @Test("A changed command line in a unified kernel image is found in PCR 4, 9 and 11, each by its event")
    func commandLine() throws {
        let scenario = try Self.scenario("uki-cmdline", against: "uki")
        let verdict = try scenario.outcome().verdict()
        #expect(verdict.status == .contraindicated && verdict.vector[.executables] == 96)
        #expect(verdict.findings.map(\.pcr) == [4, 9, 11])
        let log = try EventLog(parsing: #require(scenario.machine.log))
        for finding in verdict.findings {
            let event = try #require(finding.event)
            #expect(finding.rule == "pcr-value" && log[event].pcr == finding.pcr)
        }
    }

    @Test("Secure Boot switched on where the policy wants it off is found in PCR 7 and beyond")
    func secureBoot() throws {
        let verdict = try Self.scenario("uki-sb", against: "uki").outcome().verdict()
        #expect(verdict.status == .contraindicated)
        #expect(verdict.findings.map(\.pcr) == [0, 4, 7])
        #expect(verdict.attesterClaims.secureBoot == true)
    }

    @Test("The log of another boot explains nothing")
    func exchanged() throws {
        let scenario = try Self.scenario("uki")
        let other = try Self.machine("uki-cmdline").log
        #expect(Set(try scenario.outcome { $0.log = other }.brokenRules) == ["pcr-unexplained"])
    }

    @Test("Data that is bound cannot be changed while its digest is kept")
    func changedData() throws {
        let scenario = try Self.scenario("uki-sha256")
        let bytes = try #require(scenario.machine.log)
        let text = Array("Exit Boot Services Invocation".utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: text) })
        let verdict = try scenario.outcome { $0.log?[place] ^= 0x20 }.verdict()
        #expect(verdict.status == .contraindicated && verdict.findings.map(\.rule) == ["event-data"])
        #expect(verdict.findings.first?.pcr == 5)
    }

    @Test("No bit of a digest in a real log can be turned unnoticed")
    func digests() throws {
        let scenario = try Self.scenario("uki-sha256")
        let bytes = try #require(scenario.machine.log)
        let log = try EventLog(parsing: bytes)
        let appraiser = Appraiser(policy: scenario.policy)
        for event in log.events where event.isMeasured && Self.pcrs.contains(event.pcr) {
            let place = try #require(event.digest(in: .sha256)?.startIndex)
            for bit in [0, 100, 255] {
                let quote = try scenario.quote { $0.log = bytes.flipping(bit: place * 8 + bit) }
                #expect(appraiser.appraise(quote, at: 0).brokenRules == ["pcr-unexplained"], "event \(event.index)")
            }
        }
    }

    @Test(
        "Logs of other people's machines accuse nobody",
        arguments: [
            "keylime/binary_bios_measurements.bin", "keylime/binary_bios_measurements-secureboot.bin",
            "keylime/mb_log.bin", "tpm2-tools/event-moklisttrusted.bin", "tpm2-tools/event-bootorder.bin",
            "tpm2-tools/event-arch-linux.bin", "tpm2-tools/event-postcode.bin",
            "go-attestation/ubuntu_2104_shielded_vm_no_secure_boot_eventlog.bin",
            "go-attestation/coreos_36_shielded_vm_no_secure_boot_eventlog.bin",
        ])
    func others(name: String) throws {
        var scenario = try Scenario()
        try scenario.machine.boot(SharedFixtures.bytes("fixtures/tcg-eventlog/" + name))
        scenario.policy = try Scenario.policy(scenario.machine.registers, pinning: Self.pcrs)
        let verdict = try scenario.outcome().verdict()
        #expect(verdict.status == .affirming, "\(verdict.findings)")
    }
}
