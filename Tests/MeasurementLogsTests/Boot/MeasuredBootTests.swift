import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

@Suite(
    "The typed view of real boots",
    .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
struct MeasuredBootTests {
    static func log(_ path: String) throws -> EventLog {
        try EventLog(parsing: SharedFixtures.bytes("fixtures/" + path))
    }

    static func boot(_ path: String, _ bank: TPM.AlgorithmID = .sha256) throws -> MeasuredBoot {
        MeasuredBoot(try #require(ReplayedEventLog(try log(path), bank: bank)))
    }

    static func booted(_ name: String, _ bank: TPM.AlgorithmID = .sha256) throws -> MeasuredBoot {
        try boot("measured-boot/\(name)/eventlog.bin", bank)
    }

    static let sets = ["direct", "grub-sb", "uki", "uki-sb", "uki-cmdline", "uki-violation", "uki-sha256"]

    @Test("A boot that went well has every separator, leaves the firmware, and nothing is irregular", arguments: sets)
    func regular(name: String) throws {
        let boot = try Self.booted(name)
        #expect(boot.irregularities == [] && boot.quirks == [])
        #expect(boot.separators.keys.sorted() == Array(0..<8))
        let invocation = try #require(boot.exitBootServicesInvocation)
        #expect(boot.exitBootServicesSuccess == invocation + 1)
        #expect(boot.firmwareVersion?.text == "" && boot.firmware.count == 2)
        #expect(boot.firmware.allSatisfy { $0.untrustedRole == .firmware && $0.digest.count == 32 })
        #expect(boot.databases.map(\.name) == ["PK", "KEK", "db", "dbx"])
        #expect(boot.secureBoot == (name.hasSuffix("-sb") ? .enabled : .disabled))
    }

    @Test("Shim and GRUB: keys, the authorities and their places, revocation level, lists of owner's keys")
    func grub() throws {
        let boot = try Self.booted("grub-sb")
        #expect(["PK", "KEK", "db", "dbx"].map { boot.database($0)?.count } == [1, 2, 2, 1])
        #expect(boot.database("dbx")?.lists.first?.kind == .sha256)
        #expect(boot.authorities.map(\.variable) == ["db", "MokListRT"])
        #expect(boot.authorities.map(\.databaseEntry) == [1, nil])
        #expect(boot.authorities.map(\.vendor) == [.imageSecurityDatabase, .shimLock])
        #expect(boot.authorities.allSatisfy { $0.signature?.kind == .x509 })
        #expect(boot.sbatLevel == "sbat,1,2025021800\nshim,4\ngrub,5\n")
        #expect(boot.mokLists.map(\.untrustedName) == ["MokList", "MokListX", "MokListTrusted"])
        #expect(boot.bootApplications.count == 4)
        #expect(boot.bootApplications.first?.untrustedName == "\\EFI\\BOOT\\BOOTX64.EFI")
        #expect(boot.bootApplications[2].digest == boot.bootApplications[3].digest)
    }

    @Test("GRUB: commands, the command line, and which files are kernel and initrd")
    func commands() throws {
        let boot = try Self.booted("grub-sb")
        let line = String(
            decoding: try SharedFixtures.bytes("fixtures/measured-boot/grub-sb/cmdline.txt"), as: UTF8.self)
        // What the kernel was given is the measured text behind GRUB's own BOOT_IMAGE.
        #expect(boot.kernelCommandLines.map { "BOOT_IMAGE=" + $0.text } == [line.filter { $0 != "\n" }])
        #expect(boot.commands.last?.text == "boot" && boot.commands.count == 9)
        #expect(boot.objects(untrustedRole: .kernel).map(\.untrustedName) == ["/vmlinuz"])
        #expect(boot.objects(untrustedRole: .initrd).map(\.untrustedName) == ["/initrd.img"])
        #expect(boot.objects(untrustedRole: .file).map(\.untrustedName) == ["(hd0,gpt1)/EFI/debian/grub.cfg"])
        #expect(boot.sections.isEmpty)
    }

    @Test(
        "Unified kernel images: sections by name, load options and initrd", arguments: ["uki", "uki-sb", "uki-sha256"])
    func unified(name: String) throws {
        let boot = try Self.booted(name)
        #expect(boot.sections.map(\.name) == [".linux", ".osrel", ".cmdline", ".initrd"])
        let initrd = try #require(boot.sections.last)
        #expect(boot.objects(untrustedRole: .initrd).map(\.digest) == [initrd.digest])
        #expect(boot.objects(untrustedRole: .loadOptions).count == 1)
        // With Secure Boot off the firmware loads the kernel inside the image a second time.
        #expect(boot.bootApplications.count == (name == "uki-sb" ? 1 : 2))
        let line = try SharedFixtures.bytes("fixtures/measured-boot/\(name)/cmdline.txt").filter { $0 != 10 }
        let section = try #require(boot.sections.first { $0.name == ".cmdline" })
        #expect(section.digest.elementsEqual(HashAlgorithm.sha256.hash(line)))
    }

    @Test("Every bank tells the same story", arguments: ["uki", "grub-sb"])
    func banks(name: String) throws {
        let boots = try [TPM.AlgorithmID.sha1, .sha256, .sha384].map { try Self.booted(name, $0) }
        for boot in boots {
            #expect(boot.sections.map(\.name) == boots[1].sections.map(\.name))
            #expect(boot.objects.map(\.untrustedName) == boots[1].objects.map(\.untrustedName))
            #expect(boot.commands == boots[1].commands && boot.irregularities.isEmpty)
        }
    }

    /// A log, the numbers of signatures in PK, KEK, db and dbx, the authorities' places in db (none for shim's own), and how many events have quirks.
    typealias Expectation = (name: String, signatures: [Int], entries: [Int?], quirks: [Quirk.Kind: Int])

    static let makers: [Expectation] = [
        ("go-attestation/coreos_36_shielded_vm_no_secure_boot_eventlog", [1, 1, 2, 186], [], [:]),
        ("go-attestation/ubuntu_2104_shielded_vm_no_secure_boot_eventlog", [1, 1, 2, 186], [], [:]),
        ("go-attestation/crypto_agile_eventlog", [1, 1, 3, 77], [], [.wholeBootVariable: 7]),
        ("keylime/binary_bios_measurements-secureboot", [1, 3, 4, 371], [2, nil], [:]),
        ("keylime/binary_bios_measurements", [1, 2, 4, 460], [], [:]),
        ("keylime/mb_log", [1, 2, 2, 1], [1, nil], [:]),
        ("tpm2-tools/event-arch-linux", [1, 2, 12, 77], [], [.wholeBootVariable: 4]),
        ("tpm2-tools/event-bootorder", [0, 0, 0, 0], [], [:]),
        ("tpm2-tools/event-moklisttrusted", [1, 2, 2, 1], [1, nil], [:]),
    ]

    @Test("Logs of other makers: databases, authorities, quirks, and nothing irregular", arguments: makers.indices)
    func otherMakers(index: Int) throws {
        let expected = Self.makers[index]
        let boot = try Self.boot("tcg-eventlog/\(expected.name).bin")
        #expect(["PK", "KEK", "db", "dbx"].map { boot.database($0)?.count } == expected.signatures)
        #expect(boot.authorities.map(\.databaseEntry) == expected.entries)
        #expect(Dictionary(grouping: boot.quirks, by: \.kind).mapValues(\.count) == expected.quirks)
        #expect(boot.irregularities.isEmpty && boot.separators.count == 8)
    }

    @Test("A log of PCR 7 alone, written by an old shim, has its quirks and lacks the other separators")
    func oldShim() throws {
        let boot = try Self.boot("tcg-eventlog/go-attestation/sb_cert_eventlog.bin")
        #expect(boot.secureBoot == .enabled && boot.authorities.map(\.databaseEntry) == [0, nil, nil])
        #expect(boot.quirks.map(\.kind) == [.shimTrailingByte, .shimTrailingByte])
        #expect(boot.irregularities == (0..<7).map { Irregularity(kind: .missingSeparator, pcr: $0, event: nil) })
    }
}
