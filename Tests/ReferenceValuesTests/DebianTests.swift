import CarnetAppraisal
import Cryptography
import Fixtures
import Foundation
import ReferenceValues
import Testing

/// A root with three packages, made up.
///
/// `one` has files behind the link `/bin`, a diverted one, and configuration; `two` diverts; `old` is removed and left configuration.
final class MadeUpRoot {
    let folder: TemporaryDirectory
    var path: String { folder.path + "/root" }

    init() throws {
        folder = try TemporaryDirectory()
        for (name, content) in [
            ("usr/bin/true", "true"), ("usr/bin/false", "false"), ("usr/bin/tool", "two's tool"),
            ("usr/bin/tool.one", "one's tool"), ("etc/one.conf", "as it came"), ("etc/changed.conf", "changed"),
            ("usr/share/a b/é", "space"),
        ] { try write(content, name) }
        try link("usr/bin", "bin")
        try database("status", Self.status)
        try database("diversions", "/usr/bin/tool\n/usr/bin/tool.one\ntwo\n")
        try database(
            "info/one:amd64.md5sums",
            [
                ("bin/true", "true"), ("usr/bin/false", "false"), ("usr/bin/tool", "one's tool"),
                ("usr/share/a b/é", "space"), ("usr/share/doc/one/copyright", "absent"), ("etc/one.conf", "other"),
            ].map { "\(Self.md5($1))  \($0)\n" }.joined())
        try database("info/two.md5sums", "\(Self.md5("two's tool"))  usr/bin/tool\n")
    }

    static let status = """
        Package: one
        Status: install ok installed
        Architecture: amd64
        Multi-Arch: same
        Conffiles:
         /etc/one.conf \(md5("as it came"))
         /etc/changed.conf \(md5("as it came"))
         /etc/gone.conf \(md5("x")) obsolete
         /etc/new.conf newconffile
        Description: one
         with /etc/no.conf \(md5("x"))

        Package: old
        Status: deinstall ok config-files
        Architecture: all
        Conffiles:
         /etc/one.conf \(md5("as it came"))

        Package: two
        Status: hold ok installed
        Architecture: all

        Package: three
        Status: install ok triggers-pending
        Architecture: all

        """

    static func md5(_ text: String) -> String {
        var hash = InsecureMD5()
        hash?.update(Array(text.utf8)[...])
        return hash?.finalize().hex ?? ""
    }

    func write(_ text: String, _ name: String) throws {
        let url = URL(filePath: path + "/" + name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func link(_ target: String, _ name: String) throws {
        try? FileManager.default.removeItem(atPath: path + "/" + name)
        try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
    }

    func database(_ name: String, _ text: String) throws { try write(text, "var/lib/dpkg/" + name) }

    func read(_ names: [String]? = nil) throws -> DebianPackages.Report {
        try DebianPackages(root: path, names: names).read()
    }
}

@Suite("Files of Debian packages")
struct DebianTests {
    private func texts(_ paths: [[UInt8]]) -> [String] { paths.map { String(decoding: $0, as: UTF8.self) } }

    private func found(_ report: DebianPackages.Report) -> [String: String] {
        Dictionary(
            report.files.map { (String(decoding: $0.path, as: UTF8.self), $0.digest.bytes.hex) },
            uniquingKeysWith: { $1 })
    }

    private func sha256(_ text: String) -> String { HashAlgorithm.sha256.hash(Array(text.utf8)).hex }

    @Test("Files are found at their real places, with SHA-256, and only as their packages brought them")
    func good() throws {
        let report = try MadeUpRoot().read()
        #expect(
            found(report) == [
                "/usr/bin/true": sha256("true"), "/usr/bin/false": sha256("false"),
                "/usr/bin/tool": sha256("two's tool"), "/usr/bin/tool.one": sha256("one's tool"),
                "/etc/one.conf": sha256("as it came"), "/usr/share/a b/é": sha256("space"),
            ])
        #expect(report.modified.isEmpty && report.unreadable.isEmpty && report.packageCount == 3)
        #expect(texts(report.modifiedConfiguration) == ["/etc/changed.conf"])
        #expect(texts(report.missing) == ["/usr/share/doc/one/copyright"])
        #expect(report.packagesWithoutChecksums == ["three"])
    }

    @Test("Packages are chosen by name, with or without architecture; one that is not installed is an error")
    func names() throws {
        let root = try MadeUpRoot()
        #expect(found(try root.read(["two"])).keys.sorted() == ["/usr/bin/tool"])
        #expect(try root.read(["one:amd64"]).packageCount == 1)
        for name in ["one:i386", "old", "four", ""] {
            #expect(throws: DebianError.notInstalled(name)) { try root.read([name]) }
        }
    }

    @Test("A modified file is reported and left out")
    func modified() throws {
        let root = try MadeUpRoot()
        try root.write("truE", "usr/bin/true")
        let report = try root.read()
        #expect(texts(report.modified) == ["/bin/true"] && found(report)["/usr/bin/true"] == nil)
        #expect(report.files.count == 5)
    }

    @Test("Without its diversion a file is at the other's place, where it does not match")
    func diversions() throws {
        let root = try MadeUpRoot()
        try root.database("diversions", "")
        #expect(texts(try root.read().modified) == ["/usr/bin/tool"])
        try root.database("diversions", "/usr/bin/tool\n/usr/bin/tool.one\n:\n")
        #expect(texts(try root.read(["two"]).modified) == ["/usr/bin/tool"])
        try FileManager.default.removeItem(atPath: root.path + "/var/lib/dpkg/diversions")
        #expect(texts(try root.read(["one"]).modified) == ["/usr/bin/tool"])
    }

    @Test("Links lead to places below the root, absolute ones and those above it too; never outside")
    func links() throws {
        let root = try MadeUpRoot()
        let outside = try root.folder.write(Array("true".utf8), "outside")
        for target in [outside, "../../../outside", "../../outside", "/outside"] {
            try root.link(target, "usr/bin/true")
            #expect(texts(try root.read(["one"]).missing).contains("/bin/true"), "\(target)")
        }
        try root.write("true", "outside")
        for target in ["/outside", "../../../../outside", "../../usr/bin/../../outside"] {
            try root.link(target, "usr/bin/true")
            #expect(found(try root.read(["one"]))["/outside"] == sha256("true"), "\(target)")
        }
        // A folder that leads outside.
        try root.link(root.folder.path, "bin")
        _ = try root.folder.write(Array("true".utf8), "true")
        #expect(texts(try root.read(["one"]).missing).contains("/bin/true"))
    }

    @Test("Links in a circle, pipes and folders are no files")
    func circles() throws {
        let root = try MadeUpRoot()
        try root.link("true", "usr/bin/true")
        #expect(texts(try root.read(["one"]).missing).contains("/bin/true"))
        try root.link("loop", "usr/bin/loop")
        try root.link("/bin/loop/x", "usr/bin/true")
        #expect(texts(try root.read(["one"]).missing).contains("/bin/true"))
        try FileManager.default.removeItem(atPath: root.path + "/usr/bin/true")
        #expect(mkfifo(root.path + "/usr/bin/true", 0o600) == 0)
        #expect(texts(try root.read(["one"]).unreadable) == ["/bin/true"])
        unlink(root.path + "/usr/bin/true")
        try FileManager.default.createDirectory(atPath: root.path + "/usr/bin/true", withIntermediateDirectories: true)
        #expect(texts(try root.read(["one"]).unreadable) == ["/bin/true"])
        // A pipe in the database does not hang either.
        unlink(root.path + "/var/lib/dpkg/diversions")
        #expect(mkfifo(root.path + "/var/lib/dpkg/diversions", 0o600) == 0)
        #expect(throws: DebianError.self) { try root.read() }
    }

    @Test("A path of a package that leads upwards stays below the root, and is no path of a set")
    func upwards() throws {
        let root = try MadeUpRoot()
        _ = try root.folder.write(Array("secret".utf8), "secret")
        try root.database("info/two.md5sums", "\(MadeUpRoot.md5("secret"))  ../secret\n")
        let report = try root.read(["two"])
        #expect(report.files.isEmpty && texts(report.missing) == ["/../secret"])
    }

    static let spoiled: [(String, String)] = [
        ("status", "Package: a\n"), ("status", "Status: install ok installed\n"), ("status", "no field\n"),
        ("status", " begins with a continuation\n"), ("status", "Package: ../../x\nStatus: install ok installed\n"),
        ("status", "Package: a/b\nStatus: install ok installed\n"),
        ("status", "Package: \nStatus: install ok installed\n"),
        ("status", "Package: a\nPackage: b\nStatus: install ok installed\n"),
        ("status", "Package: a\nStatus: install ok installed\nArchitecture: ../x\n"), ("status", ": x\n"),
        ("diversions", "/a\n"), ("diversions", "/a\n/b\n"), ("diversions", "/a\n/b\nc"), ("diversions", "a\n/b\nc\n"),
        ("diversions", "/a\nb\nc\n"), ("diversions", "/a\n/b\n\n"), ("diversions", "/a\n/b\nc\n/a\n/d\ne\n"),
        ("info/two.md5sums", "x\n"), ("info/two.md5sums", "\(String(repeating: "a", count: 32))\n"),
        ("info/two.md5sums", "\(String(repeating: "a", count: 32)) x\n"),
        ("info/two.md5sums", "\(String(repeating: "a", count: 32))  \n"),
        ("info/two.md5sums", "\(String(repeating: "g", count: 32))  x\n"),
        ("info/two.md5sums", "\(String(repeating: "a", count: 32))  /x\n"),
        ("info/two.md5sums", "\(String(repeating: "a", count: 32))  x\n\(String(repeating: "a", count: 32))  x\n"),
    ]

    @Test("A spoiled database is refused", arguments: spoiled.indices)
    func refused(index: Int) throws {
        let (file, text) = Self.spoiled[index], root = try MadeUpRoot()
        try root.database(file, text)
        #expect {
            try root.read()
        } throws: { error in
            guard case .malformed(let path, _) = error as? DebianError else { return false }
            return path.hasSuffix(file)
        }
    }

    @Test("A root without packages, and one that is none, are unreachable")
    func unreachable() throws {
        let folder = try TemporaryDirectory(), file = try folder.write([], "file")
        for path in [folder.path, file, folder.path + "/absent"] {
            #expect {
                try DebianPackages(root: path)
            } throws: {
                if case .unreachable = $0 as? DebianError { true } else { false }
            }
        }
    }

    @Test("MD5 is md5sum's")
    func md5() { #expect(MadeUpRoot.md5("abc") == "900150983cd24fb0d6963f7d28e17f72") }

    @Test("dpkg finds the same files modified")
    func dpkg() throws {
        guard let dpkg = try Witness.find("dpkg"), FileManager.default.fileExists(atPath: "/var/lib/dpkg/status") else {
            return
        }
        let names = ["coreutils", "dash", "bash", "libc-bin", "base-files"]
        let report = try DebianPackages(root: "/", names: names).read()
        // Nine checks for each file, of which dpkg does the third; then `c` for configuration, and the path.
        let lines = try dpkg.run(["--verify"] + names).text.split(separator: "\n").filter {
            $0.dropFirst(2).first == "5"
        }
        let modified = lines.compactMap { $0.split(separator: " ").last.map(String.init) }
        #expect(texts(report.modified + report.modifiedConfiguration).sorted() == modified.sorted())
    }

    @Test("This machine's own packages: the files are those that sha256sum sees")
    func real() throws {
        guard let witness = try Witness.find("sha256sum"),
            FileManager.default.fileExists(atPath: "/var/lib/dpkg/status")
        else { return print("skipped: this is no Debian system") }
        var steps = 0
        let report = try DebianPackages(root: "/", names: ["coreutils", "dash"]).read { _, total in
            steps += 1
            #expect(total == 2)
        }
        #expect(steps == 2 && report.packageCount == 2 && report.files.count > 100)
        let programs = report.files.filter {
            $0.path.starts(with: "/usr/bin/".utf8) || $0.path.starts(with: "/bin/".utf8)
        }
        #expect(programs.count > 50)
        for file in programs.prefix(60) {
            let path = String(decoding: file.path, as: UTF8.self)
            let testimony = try witness.run([path])
            #expect(testimony.text.prefix(64) == Substring(file.digest.bytes.hex), "\(path)")
            #expect(URL(filePath: path).resolvingSymlinksInPath().path == path)
        }
    }
}
