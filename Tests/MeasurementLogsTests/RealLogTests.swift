import Fixtures
import MeasurementLogs
import TPM2
import Testing

@Suite(
    "Event logs of real machines",
    .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
struct RealLogTests {
    /// What a replay must give: bank, PCR, value in hexadecimal.
    typealias Expectation = (bank: TPM.AlgorithmID, pcr: Int, value: String)

    /// The `pcrs:` block of a YAML file as tpm2-tools writes it: a bank, then `index : 0xvalue` lines.
    static func expectations(yaml path: String) throws -> [Expectation] {
        try expectations(text: String(decoding: SharedFixtures.bytes(path), as: UTF8.self))
    }

    /// The same from the text of such a file.
    static func expectations(text: String) throws -> [Expectation] {
        var bank: TPM.AlgorithmID?
        var isInside = false
        var expectations: [Expectation] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("pcrs:") { isInside = true }
            guard isInside else { continue }
            let parts = line.split(separator: ":").map { $0.filter { $0 != " " } }
            if let name = parts.first, let named = TPM.AlgorithmID(hashNamed: name) { bank = named }
            guard let bank, parts.count == 2, let pcr = Int(parts[0]), parts[1].hasPrefix("0x") else { continue }
            expectations.append((bank, pcr, parts[1].dropFirst(2).lowercased()))
        }
        return expectations
    }

    @Test(
        "tpm2-tools' logs replay to the values that its YAML files state",
        arguments: [
            "event-arch-linux", "event-bootorder", "event-moklisttrusted", "event-postcode", "event",
            "event-uefiservices",
        ])
    func tools(name: String) throws {
        let path = "fixtures/tcg-eventlog/tpm2-tools/\(name).bin"
        let log = try EventLog(parsing: SharedFixtures.bytes(path))
        let expectations = try Self.expectations(yaml: path + ".yaml")
        #expect(!expectations.isEmpty)
        for expected in expectations {
            let replay = try #require(ReplayedEventLog(log, bank: expected.bank))
            #expect(replay.value(ofPCR: expected.pcr).hex == expected.value, "\(expected.bank) PCR \(expected.pcr)")
        }
    }

    @Test(
        "Logs of booted machines replay to the PCRs that were quoted",
        arguments: ["direct", "grub-sb", "uki", "uki-sb", "uki-cmdline", "uki-violation", "uki-sha256"])
    func booted(name: String) throws {
        let folder = "fixtures/measured-boot/\(name)/"
        let log = try EventLog(parsing: SharedFixtures.bytes(folder + "eventlog.bin"))
        var checked = 0
        for expected in try Self.expectations(yaml: folder + "quote_pcrs.yaml") where expected.pcr != 10 {
            let replay = try #require(ReplayedEventLog(log, bank: expected.bank))
            #expect(replay.value(ofPCR: expected.pcr).hex == expected.value, "\(expected.bank) PCR \(expected.pcr)")
            checked += 1
        }
        #expect(checked >= 15)
        let replay = try #require(ReplayedEventLog(log, bank: .sha256))
        #expect(replay.secureBoot == (name.hasSuffix("-sb") ? .enabled : .disabled))
        // Where the specification binds data to its digest, these machines' firmware did.
        #expect(log.events.allSatisfy { $0.binding(in: .sha256) != .mismatch })
        #expect(log.events.contains { $0.binding(in: .sha256) == .bound })
    }

    @Test(
        "Logs of cloud machines and of Keylime's test data are read whole",
        arguments: [
            ("go-attestation/coreos_36_shielded_vm_no_secure_boot_eventlog.bin", SecureBootState.disabled),
            ("go-attestation/ubuntu_2104_shielded_vm_no_secure_boot_eventlog.bin", .disabled),
            ("keylime/binary_bios_measurements-secureboot.bin", .enabled),
        ])
    func secureBoot(name: String, expected: SecureBootState) throws {
        let log = try EventLog(parsing: SharedFixtures.bytes("fixtures/tcg-eventlog/" + name))
        #expect(ReplayedEventLog(log, bank: .sha256)?.secureBoot == expected)
    }

    @Test(
        "Real logs are read",
        arguments: [
            "go-attestation/crypto_agile_eventlog.bin", "go-attestation/sb_cert_eventlog.bin",
            "keylime/binary_bios_measurements.bin",
        ])
    func reads(name: String) throws {
        let log = try EventLog(parsing: SharedFixtures.bytes("fixtures/tcg-eventlog/" + name))
        #expect(!log.banks.isEmpty)
        for event in log.events { #expect(!event.summary(in: .sha256).isEmpty) }
    }

    @Test(
        "Broken logs are refused with their reason",
        arguments: [
            ("keylime/binary_bios_measurements-empty.bin", EventLogError.empty),
            ("tpm2-tools/event-uefi-sha1-log.bin", .legacySHA1Only),
            ("go-attestation/ebs_event_missing_eventlog.bin", .legacySHA1Only),
            // Fragments whose headers declare four banks while their event has digests of two: §10.2.2 wants one for each.
            (
                "tpm2-tools/event-uefivar.bin",
                .malformed(event: 0, reason: "has 2 digests; the log declares 4 banks")
            ),
            (
                "tpm2-tools/event-uefiaction.bin",
                .malformed(event: 0, reason: "has 2 digests; the log declares 4 banks")
            ),
            // A fragment whose header's size leaves out the vendor information that it declares.
            ("tpm2-tools/specid-vendordata.bin", .truncated(event: nil, field: "vendor information")),
            // A log of TCG 1.2 whose only event, StartupLocality, is shorter than a Spec ID event.
            (
                "go-attestation/short_no_action_eventlog.bin",
                .malformed(event: nil, reason: "has no Spec ID event")
            ),
        ])
    func broken(name: String, expected: EventLogError) throws {
        let bytes = try SharedFixtures.bytes("fixtures/tcg-eventlog/" + name)
        #expect(throws: expected) { try EventLog(parsing: bytes) }
    }

    @Test(
        "Garbage is refused",
        arguments: ["keylime/binary_bios_measurements-bogus.bin"])
    func garbage(name: String) throws {
        let bytes = try SharedFixtures.bytes("fixtures/tcg-eventlog/" + name)
        #expect(throws: EventLogError.self) { try EventLog(parsing: bytes) }
    }

    @Test("A changed byte anywhere in a real log never traps and never goes unnoticed where a digest is")
    func mutations() throws {
        let bytes = try SharedFixtures.bytes("fixtures/measured-boot/uki-sha256/eventlog.bin")
        for offset in bytes.indices {
            var changed = bytes
            changed[offset] ^= 0x80
            guard let log = try? EventLog(parsing: changed) else { continue }
            let replay = ReplayedEventLog(log, bank: .sha256)
            for event in log.events { _ = event.summary(in: .sha256) }
            _ = replay?.secureBoot
        }
        for count in bytes.indices { _ = try? EventLog(parsing: Array(bytes.prefix(count))) }
    }
}
