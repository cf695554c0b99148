import CarnetAppraisal
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import ReferenceValues
import Testing

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
