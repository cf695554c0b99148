import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import TPM2
import Testing

/// pesign computes Authenticode digests, sbverify checks signatures over them, objcopy makes unified kernel images: nobody here wrote
/// them. The images are those of Debian's packages, where they are installed.
@Suite("Authenticode digests and unified kernel images, before witnesses")
struct ImageWitnessTests {
    static let stub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"

    /// Images of Debian's packages that exist here; the variable names more, separated by colons.
    static var images: [String] {
        let named =
            ProcessInfo.processInfo.environment["CARNET_PE_IMAGES"]?.split(separator: ":").map(String.init) ?? []
        return
            ([
                stub, "/usr/lib/systemd/boot/efi/systemd-bootx64.efi", "/usr/lib/shim/shimx64.efi.signed",
                "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
            ] + named).filter { FileManager.default.isReadableFile(atPath: $0) }
    }

    private func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

    @Test("pesign computes the same digest of every image")
    func pesign() throws {
        guard let pesign = try Witness.find("pesign") else { return }
        if Self.images.isEmpty { print("skipped: no image of systemd-boot-efi, shim-signed or grub-efi-amd64-signed") }
        for path in Self.images {
            let image = try PEImage(parsing: bytes(path))
            let testimony = try pesign.run(["-h", "-i", path])
            #expect(
                testimony.text.split(separator: " ").last.map { $0.filter { !$0.isWhitespace } }
                    == image.authenticodeDigest(.sha256).hex, "\(path)")
        }
    }

    @Test("A made unified kernel image has the sections that were put in, and pesign's digest")
    func unified() throws {
        guard let objcopy = try Witness.find("objcopy"), let pesign = try Witness.find("pesign"),
            FileManager.default.isReadableFile(atPath: Self.stub)
        else { return print("skipped: systemd-boot-efi is not installed") }
        let folder = try TemporaryDirectory()
        let sections: [(String, [UInt8])] = [
            (".osrel", Array("ID=carnet\n".utf8)), (".cmdline", Array("quiet".utf8)),
            (".initrd", [UInt8](repeating: 5, count: 5000)), (".linux", SmallImage.good.bytes),
        ]
        var arguments: [String] = [], address = 0x1_0000_0000 / 0x1000 * 0x1000 + 0x4000_0000
        for (name, content) in sections {
            arguments += ["--add-section", "\(name)=\(try folder.write(content, String(name.dropFirst())))"]
            arguments += ["--change-section-vma", "\(name)=0x\(String(address, radix: 16))"]
            address += 0x10_0000
        }
        let path = folder.path + "/uki.efi"
        let testimony = try objcopy.run(arguments + [Self.stub, path])
        guard testimony.status == 0 else { return print("skipped: objcopy: \(testimony.errors)") }
        let image = try PEImage(parsing: bytes(path))
        for (name, content) in sections { #expect(image.content(ofSection: name).map { Array($0) } == content) }
        #expect(try pesign.run(["-h", "-i", path]).text.contains(image.authenticodeDigest(.sha256).hex))
        var value = [UInt8](repeating: 0, count: 32)
        for name in [".linux", ".osrel", ".cmdline", ".initrd"] {
            let content = sections.first { $0.0 == name }?.1 ?? []
            for part in [Array(name.utf8) + [0], content] {
                HashAlgorithm.sha256.extend(&value, with: HashAlgorithm.sha256.hash(part))
            }
        }
        #expect(image.predictedPCR11(.sha256, of: [".linux", ".osrel", ".cmdline", ".initrd"]) == value)
        // The stub has a section of its own, which newer stubs measure too.
        #expect(image.predictedPCR11(.sha256) != value && image.content(ofSection: ".sbat") != nil)
    }

    @Test(
        "Shim and GRUB of Debian have the digests that a real machine's firmware measured",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
    func measured() throws {
        let log = try EventLog(parsing: SharedFixtures.bytes("fixtures/measured-boot/grub-sb/eventlog.bin"))
        for bank in [HashAlgorithm.insecureSHA1, .sha256, .sha384] {
            let boot = MeasuredBoot(try #require(ReplayedEventLog(log, bank: TPM.AlgorithmID(bank))))
            let known = Set(boot.bootApplications.prefix(2).map(\.digest.hex))
            var found = 0
            for path in Self.images where path.hasSuffix("shimx64.efi.signed") || path.hasSuffix("grubx64.efi.signed") {
                found += known.contains(try PEImage(parsing: bytes(path)).authenticodeDigest(bank).hex) ? 1 : 0
            }
            // Installed packages may be newer than the machine was; images that are named on purpose have to be its own.
            let areNamed = ProcessInfo.processInfo.environment["CARNET_PE_IMAGES"] != nil
            #expect(found == 2 || !areNamed)
            if found == 0 { print("skipped: shim and GRUB of that machine are not here (CARNET_PE_IMAGES)") }
        }
    }
}
