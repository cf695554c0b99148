import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import ReferenceValues
import Testing

/// Images made by hand: headers of 1,024 bytes, and sections of whole 512 bytes.
enum MadeUpImage {
    static func bytes(_ sections: [(String, [UInt8])]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1024)
        func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        func put(_ new: [UInt8], _ offset: Int) { bytes.replaceSubrange(offset..<(offset + new.count), with: new) }
        put(Array("MZ".utf8), 0)
        put([64], 0x3C)
        put([0x50, 0x45, 0, 0, 0x64, 0x86, UInt8(sections.count), 0], 64)
        put([240, 0, 0, 0, 0x0B, 0x02], 84)
        put(number(1024), 88 + 60)
        put([16], 88 + 108)
        for (index, (name, content)) in sections.enumerated() {
            let entry = 88 + 240 + index * 40
            let padded = content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
            put(Array(name.utf8), entry)
            put(number(content.count) + [0, 0, 0, 0] + number(padded.count) + number(bytes.count), entry + 8)
            bytes += padded
        }
        return bytes
    }

    static func kernel(_ text: String) -> [UInt8] { bytes([(".text", Array(text.utf8))]) }

    static func unified(_ text: String, _ line: String, _ initrd: String, more: [(String, [UInt8])] = []) -> [UInt8] {
        bytes(
            [
                (".text", [1]), (".linux", kernel(text)), (".cmdline", Array(line.utf8)),
                (".initrd", Array(initrd.utf8)),
            ] + more)
    }
}

@Suite("Components of images, files and certificates")
struct ImageReferenceTests {
    @Test("An image has its Authenticode digest in each bank")
    func image() throws {
        let image = try PEImage(parsing: MadeUpImage.kernel("k"))
        let components = try #require(
            ReferenceComponent.image(image, as: .driver, name: "d", algorithms: [.sha256, .sha384]))
        #expect(
            components.map(\.digest.bytes) == [image.authenticodeDigest(.sha256), image.authenticodeDigest(.sha384)])
        #expect(components.allSatisfy { $0.type == .driver && $0.name == "d" })
        #expect(ReferenceComponent.image(image, name: "", algorithms: [.sha256]) == nil)
        #expect(ReferenceComponent.image(image, name: "d", algorithms: [.insecureSHA1]) == nil)
    }

    @Test("A unified kernel image has itself, the kernel inside and its measured sections")
    func unified() throws {
        let image = try PEImage(parsing: MadeUpImage.unified("k", "quiet", "i", more: [(".pcrsig", [1])]))
        let components = try #require(ReferenceComponent.unifiedKernelImage(image, name: "u", algorithms: [.sha256]))
        #expect(components.map(\.type) == [.application, .application, .section, .section, .section])
        #expect(components.map(\.name) == ["u", "u .linux", ".linux", ".cmdline", ".initrd"])
        #expect(components[3].digest.bytes == HashAlgorithm.sha256.hash(Array("quiet".utf8)))
        let inner = try PEImage(parsing: MadeUpImage.kernel("k"))
        #expect(components[1].digest.bytes == inner.authenticodeDigest(.sha256))
        #expect(ReferenceComponent.unifiedKernelImage(inner, name: "u", algorithms: [.sha256]) == nil)
    }

    @Test("A file has the digest of its bytes, and its class")
    func file() throws {
        let components = try #require(
            ReferenceComponent.file([1, 2], as: .mokList, name: "n", algorithms: [.sha256]))
        #expect(
            components.map(\.digest.bytes) == [HashAlgorithm.sha256.hash([1, 2])] && components[0].type == .mokList)
    }

    @Test("pesign computes the same digest of Debian's images")
    func witness() throws {
        guard let pesign = try Witness.find("pesign") else { return }
        let paths = [
            "/usr/lib/systemd/boot/efi/linuxx64.efi.stub", "/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
            "/usr/lib/shim/shimx64.efi.signed", "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
        ].filter { FileManager.default.isReadableFile(atPath: $0) }
        if paths.isEmpty { print("skipped: no image of systemd-boot-efi, shim-signed or grub-efi-amd64-signed") }
        for path in paths {
            let image = try PEImage(parsing: [UInt8](Data(contentsOf: URL(filePath: path))))
            let components = try #require(ReferenceComponent.image(image, name: "x", algorithms: [.sha256]))
            #expect(try pesign.run(["-h", "-i", path]).text.contains(components[0].digest.bytes.hex), "\(path)")
        }
    }
}
