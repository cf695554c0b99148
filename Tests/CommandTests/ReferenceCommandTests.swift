import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import StrictEncoding
import Testing

@Suite("carnet reference", .timeLimit(.minutes(5)))
struct ReferenceCommandTests {
    private let carnet = Program("carnet"), folder: TemporaryDirectory
    private var set: String { folder.path + "/debian-13.json" }

    init() throws { folder = try TemporaryDirectory() }

    private func json(_ ending: Program.Ending) throws -> JSONNode {
        try JSONDocument(parsing: ending.output, maximumByteCount: 1 << 20).root
    }

    private func read() throws -> JSONNode {
        try JSONDocument(parsing: folder.read("debian-13.json"), maximumByteCount: 1 << 20).root
    }

    @Test("Images, sections, files and certificates are added; the file is for its owner and in the one spelling")
    func add() async throws {
        let bytes = MadeUpImage.unified("k", "quiet", "i"), image = try PEImage(parsing: bytes)
        let uki = try folder.write(bytes, "uki.efi"), text = try folder.write([1, 2, 3], "vmlinuz")
        let made = try await carnet.run([
            "reference", "add", set, "--uki", uki, "--bank", "sha384", "--from", "2026-12-01T00:00:00Z", "--json",
        ])
        #expect(made.status == 0, "\(made)")
        #expect(try json(made)["added"]?.integer == 10 && json(made)["name"]?.string == "debian-13")
        let digests = try #require(try read()["components"]?.elements).compactMap { $0["digest"]?.string }
        for digest in [image.authenticodeDigest(.sha256), HashAlgorithm.sha256.hash(Array("quiet".utf8))] {
            #expect(digests.contains("sha256:" + digest.hex))
        }
        #expect(digests.contains("sha384:" + image.authenticodeDigest(.sha384).hex))
        #expect(try FileManager.default.attributesOfItem(atPath: set)[.posixPermissions] as? Int == 0o600)
        let more = try await carnet.run(["reference", "add", set, "--file", text, uki, "--as", "kernel"])
        #expect(more.status == 0 && more.text.contains("2 added"), "\(more)")
        let driver = try await carnet.run(["reference", "add", set, "--efi", uki, "--driver", "--name", "d"])
        #expect(driver.status == 0)
        let classes = try #require(try read()["components"]?.elements).compactMap { $0["class"]?.string }
        #expect(classes.filter { $0 == "kernel" }.count == 2 && classes.contains("driver"))
        // Another window takes the place of the first.
        let again = try await carnet.run([
            "reference", "add", set, "--efi", uki, "--driver", "--name", "d", "--until", "2027-01-01T00:00:00Z",
        ])
        #expect(again.status == 0 && again.text.contains("another window"), "\(again)")
        let before = try folder.read("debian-13.json")
        let exported = try await carnet.run(["reference", "export", set])
        #expect(exported.output == before)
        let checked = try await carnet.run(["reference", "check", set])
        #expect(checked.text.contains("sha256:" + HashAlgorithm.sha256.hash(before).hex))
        let shown = try await carnet.run(["reference", "show", set])
        #expect(
            shown.status == 0 && shown.text.contains(".cmdline") && shown.text.contains("until 2027-01-01T00:00:00Z"))
        #expect(try json(try await carnet.run(["reference", "show", set, "--json"]))["components"]?.count == 13)
    }

    @Test("A directory gives its images and nothing else; links are not followed; none is an error")
    func directory() async throws {
        let tree = folder.path + "/esp/EFI/Linux"
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        try Data(MadeUpImage.kernel("a")).write(to: URL(filePath: tree + "/a.efi"))
        try Data(MadeUpImage.kernel("b")).write(to: URL(filePath: folder.path + "/b.efi"))
        try Data("text".utf8).write(to: URL(filePath: tree + "/loader.conf"))
        try FileManager.default.createSymbolicLink(atPath: tree + "/b.efi", withDestinationPath: folder.path + "/b.efi")
        let made = try await carnet.run(["reference", "add", set, "--efi", folder.path + "/esp", "--json"])
        #expect(try json(made)["components"]?.integer == 1 && made.status == 0, "\(made)")
        #expect(try read()["components"]?.elements?.first?["name"]?.string == "a.efi")
        try FileManager.default.removeItem(atPath: tree + "/a.efi")
        let none = try await carnet.run(["reference", "add", set, "--efi", folder.path + "/esp"])
        #expect(none.status == 2 && none.errors.contains("no image"))
    }

    @Test("A certificate is an authority by the SHA-256 of its DER bytes, whether it is PEM or DER")
    func certificate() async throws {
        guard let openssl = try Witness.find("openssl") else { return }
        let pem = folder.path + "/ca.pem", der = folder.path + "/ca.der"
        let made = try openssl.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a",
            "-keyout",
            folder.path + "/key", "-out", pem,
        ])
        #expect(made.status == 0, "\(made.errors)")
        #expect(try openssl.run(["x509", "-in", pem, "-outform", "DER", "-out", der]).status == 0)
        let added = try await carnet.run(["reference", "add", set, "--certificate", pem, der, "--name", "CA", "--json"])
        #expect(try json(added)["components"]?.integer == 1 && added.status == 0, "\(added)")
        let component = try #require(try read()["components"]?.elements?.first)
        #expect(component["class"]?.string == "authority")
        #expect(component["digest"]?.string == "sha256:" + HashAlgorithm.sha256.hash(try folder.read("ca.der")).hex)
    }

    @Test("What is wrong leaves the set as it was")
    func refusals() async throws {
        let image = try folder.write(MadeUpImage.kernel("k"), "k.efi"), text = try folder.write([1], "text")
        #expect(try await carnet.run(["reference", "add", set, "--efi", image]).status == 0)
        let before = try folder.read("debian-13.json")
        for (arguments, status, word) in [
            (["--efi", text], 2, "text"), (["--uki", image], 2, ".linux"), (["--file", "/no/such"], 3, "/no/such"),
            (["--efi", image, "--name", "ü"], 2, "--name"), (["--certificate", text], 2, "certificate"),
            (["--efi", image, text], 2, "text"),
        ] as [([String], Int32, String)] {
            let ending = try await carnet.run(["reference", "add", set] + arguments)
            #expect(ending.status == status && ending.errors.contains(word), "\(ending)")
            #expect(try folder.read("debian-13.json") == before)
        }
        let spoiled = try folder.write(Array(#"{"version":1,"name":"a","x":1}"#.utf8), "spoiled.json")
        let ending = try await carnet.run(["reference", "add", spoiled, "--efi", image])
        #expect(ending.status == 2 && ending.errors.contains("\"x\"") && ending.errors.contains("spoiled.json"))
        #expect(try folder.read("spoiled.json").count == 30)
    }

    @Test("Sets are compared with status 0 or 1, and imported")
    func exchange() async throws {
        let a = try folder.write(MadeUpImage.kernel("a"), "a.efi"),
            b = try folder.write(MadeUpImage.kernel("b"), "b.efi")
        let other = folder.path + "/other.json"
        #expect(try await carnet.run(["reference", "add", set, "--efi", a]).status == 0)
        #expect(try await carnet.run(["reference", "add", other, "--efi", a, b]).status == 0)
        let differs = try await carnet.run(["reference", "diff", set, other])
        #expect(differs.status == 1 && differs.text.hasPrefix("+ application sha256:") && differs.errors.isEmpty)
        #expect(differs.text.contains("b.efi") && !differs.text.contains("a.efi"))
        let turned = try await carnet.run(["reference", "diff", other, set, "--json"])
        #expect(try json(turned)["removed"]?.count == 1 && json(turned)["added"]?.count == 0 && turned.status == 1)
        #expect(try await carnet.run(["reference", "import", other, "--into", set]).status == 0)
        #expect(try await carnet.run(["reference", "diff", set, other]).status == 0)
        #expect(try read()["name"]?.string == "debian-13")
        let format = try await carnet.run(["reference", "export", set, "--format", "corim"])
        #expect(format.status == 2 && format.output.isEmpty)
    }

    @Test("Packages of a made-up root; a modified file is a warning, and with --strict a status of 1")
    func debian() async throws {
        let root = folder.path + "/root", info = root + "/var/lib/dpkg/info"
        try FileManager.default.createDirectory(atPath: info, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: root + "/bin", withIntermediateDirectories: true)
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: URL(filePath: root + "/" + name))
        }
        try write("Package: a\nStatus: install ok installed\nArchitecture: all\n", "var/lib/dpkg/status")
        try write(
            "900150983cd24fb0d6963f7d28e17f72  bin/abc\n900150983cd24fb0d6963f7d28e17f72  bin/abd\n",
            "var/lib/dpkg/info/a.md5sums")
        try write("abc", "bin/abc")
        try write("abd", "bin/abd")
        for arguments in [[], ["--strict"]] {
            let made = try await carnet.run(
                ["reference", "debian", set, "--root", root, "--packages", "a"] + arguments)
            #expect(made.status == (arguments.isEmpty ? 0 : 1) && made.text.contains("modified    /bin/abd"), "\(made)")
            #expect(made.text.contains("1 modified"))
        }
        #expect(try read()["files"]?.elements?.compactMap { $0["path"]?.string } == ["/bin/abc"])
        let report = try json(try await carnet.run(["reference", "debian", set, "--root", root, "--json"]))
        #expect(report["modified"]?.elements?.map(\.string) == ["/bin/abd"])
        let unknown = try await carnet.run(["reference", "debian", set, "--root", root, "--packages", "b"])
        #expect(unknown.status == 1 && unknown.errors.contains("not installed"))
        let nowhere = try await carnet.run(["reference", "debian", set, "--root", "/no/such"])
        #expect(nowhere.status == 3 && nowhere.errors.contains("/no/such"))
    }
}
