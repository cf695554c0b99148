import Fixtures
import MeasurementLogs
import TPM2
import Testing

@Suite("Where events belong")
struct EventPlaceTests {
    private func aliens(_ log: EventLog, _ bank: TPM.AlgorithmID = .sha256) throws -> [Irregularity] {
        MeasuredBoot(try #require(ReplayedEventLog(log, bank: bank))).irregularities.filter { $0.kind == .alienType }
    }

    @Test(
        "No event of a real machine is of a type that nobody measures there",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"),
        arguments: [
            "measured-boot/direct/eventlog.bin", "measured-boot/grub-sb/eventlog.bin", "measured-boot/uki/eventlog.bin",
            "measured-boot/uki-sb/eventlog.bin", "measured-boot/uki-cmdline/eventlog.bin",
            "measured-boot/uki-violation/eventlog.bin", "measured-boot/uki-sha256/eventlog.bin",
            "tcg-eventlog/keylime/binary_bios_measurements.bin",
            "tcg-eventlog/keylime/binary_bios_measurements-secureboot.bin", "tcg-eventlog/keylime/mb_log.bin",
            "tcg-eventlog/tpm2-tools/event.bin", "tcg-eventlog/tpm2-tools/event-arch-linux.bin",
            "tcg-eventlog/tpm2-tools/event-bootorder.bin", "tcg-eventlog/tpm2-tools/event-moklisttrusted.bin",
            "tcg-eventlog/tpm2-tools/event-postcode.bin", "tcg-eventlog/go-attestation/crypto_agile_eventlog.bin",
            "tcg-eventlog/go-attestation/sb_cert_eventlog.bin",
            "tcg-eventlog/go-attestation/coreos_36_shielded_vm_no_secure_boot_eventlog.bin",
            "tcg-eventlog/go-attestation/ubuntu_2104_shielded_vm_no_secure_boot_eventlog.bin",
        ])
    func real(name: String) throws {
        let log = try EventLog(parsing: SharedFixtures.bytes("fixtures/" + name))
        let bank = try #require(log.banks.map(\.algorithm).last { $0 == .sha256 || $0 == .sha1 })
        #expect(try aliens(log, bank) == [])
    }

    @Test("An event of an alien type is found in every PCR of the boot, by its place", arguments: 0..<16)
    func alien(pcr: Int) throws {
        var types = (0...0x14).map { EventType(rawValue: $0) } + [.init(rawValue: 0x8000_00FF), .runtimeMeasurement]
        types += (0x8000_0001...0x8000_0010).map { .init(rawValue: $0) }
        types += (0x8000_00E0...0x8000_00E4).map { .init(rawValue: $0) }
        let known = EventType.known(inPCR: pcr)
        #expect(Set(known).count == known.count && Set(types).isSuperset(of: known))
        for type in types where type != .noAction {
            let builder = BootAttackTests.good { $0.add(pcr: pcr, type, data: [1]) }
            let log = try EventLog(parsing: builder.bytes)
            let event = try #require(log.events.first { $0.pcr == pcr && $0.untrustedData.elementsEqual([1]) })
            let expected =
                known.contains(type) ? [] : [Irregularity(kind: .alienType, pcr: pcr, event: event.index)]
            #expect(try aliens(log) == expected, "\(type)")
        }
    }

    @Test("No PCR of the firmware takes a type that is not of UEFI firmware or of a loader before it")
    func tables() {
        for pcr in 0..<8 {
            for type in [EventType.runtimeMeasurement, .noAction, .init(rawValue: 0), .init(rawValue: 2)] {
                #expect(!type.belongs(inPCR: pcr))
            }
            #expect(EventType.separator.belongs(inPCR: pcr))
        }
        for pcr in [-1, 10, 15, 16, 23, 24, .max] { #expect(EventType.known(inPCR: pcr).isEmpty) }
        #expect(!EventType.efiBootServicesApplication.belongs(inPCR: 7) && !EventType.ipl.belongs(inPCR: 7))
    }
}
