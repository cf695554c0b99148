import Cryptography
import Fixtures
import CarnetAppraisal
import Testing

@Suite("Spoiled reference sets")
struct ReferenceSpoilTests {
    private static let digest = "\"sha256:\(Sample.digits)\""

    private static func component(_ members: String) -> [UInt8] { Sample.document(components: "[{\(members)}]") }

    private static func file(path: String, digest: String = digest, more: String = "") -> [UInt8] {
        Sample.document(files: #"[{"path":\#(path),"digest":\#(digest)\#(more)}]"#)
    }

    private static let good = #""class":"driver","digest":\#(digest),"name":"n""#

    @Test("What is spoiled below is good before")
    func good() throws {
        #expect(try ReferenceSet(parsing: Sample.document()).name == "debian-13")
        #expect(try ReferenceSet(parsing: Self.component(Self.good)).components.count == 1)
        #expect(try ReferenceSet(parsing: Self.file(path: "\"/a\"")).files.count == 1)
        let window = Self.good + #","from":"2026-12-01T00:00:00Z","until":"2026-12-01T00:00:01Z""#
        #expect(try ReferenceSet(parsing: Self.component(window)).components.count == 1)
    }

    static let documents: [(String, [UInt8])] = [
        ("nothing", []), ("no JSON", Array("set".utf8)), ("an array", Array("[]".utf8)),
        ("bytes behind", Sample.document() + [0x78]), ("a zero behind", Sample.document() + [0]),
        ("version 2", Sample.document(version: "2")), ("version 1.0", Sample.document(version: "1.0")),
        ("version in quotes", Sample.document(version: "\"1\"")),
        ("no version", Array(#"{"name":"a"}"#.utf8)), ("no name", Array(#"{"version":1}"#.utf8)),
        ("an empty name", Sample.document(name: "\"\"")), ("a capital", Sample.document(name: "\"A\"")),
        ("a slash", Sample.document(name: "\"a/b\"")), ("a name of a number", Sample.document(name: "1")),
        ("a name of 65", Sample.document(name: "\"\(String(repeating: "a", count: 65))\"")),
        ("a newline in the name", Sample.document(name: #""a\n""#)),
        ("an unknown member", Sample.document(more: #","extra":1"#)),
        ("a member twice", Sample.document(more: #","name":"b""#)),
        ("a description of a number", Array(#"{"version":1,"name":"a","description":1}"#.utf8)),
        ("a control character in the description", Array(#"{"version":1,"name":"a","description":"\u001b"}"#.utf8)),
        (
            "a long description",
            Array(#"{"version":1,"name":"a","description":"\#(String(repeating: "x", count: 1025))"}"#.utf8)
        ),
        ("components of an object", Sample.document(components: "{}")), ("null files", Sample.document(files: "null")),
        ("too deep", Sample.document(components: #"[{"class":[[]]}]"#)),
        ("a component of a string", Sample.document(components: #"["x"]"#)),
        ("no class", component(#""digest":\#(digest),"name":"n""#)),
        ("no digest", component(#""class":"driver","name":"n""#)),
        ("no component name", component(#""class":"driver","digest":\#(digest)"#)),
        ("another class", component(#""class":"Driver","digest":\#(digest),"name":"n""#)),
        ("an unknown member of a component", component(good + #","x":1"#)),
        ("an empty component name", component(#""class":"driver","digest":\#(digest),"name":"""#)),
        ("a name that is not ASCII", component(#""class":"driver","digest":\#(digest),"name":"ü""#)),
        ("a newline in a component name", component(#""class":"driver","digest":\#(digest),"name":"a\nb""#)),
        (
            "a component name of 129",
            component(#""class":"driver","digest":\#(digest),"name":"\#(String(repeating: "x", count: 129))""#)
        ),
        ("a section without a full stop", component(#""class":"section","digest":\#(digest),"name":"linux""#)),
        (
            "an authority of SHA-384",
            component(
                #""class":"authority","digest":"sha384:\#(Sample.digits)\#(Sample.digits.prefix(32))","name":"n""#)
        ),
        ("a date alone", component(good + #","from":"2026-12-01""#)),
        ("a null window", component(good + #","from":null"#)),
        ("an empty window", component(good + #","from":"2026-12-01T00:00:00Z","until":"2026-12-01T00:00:00Z""#)),
        ("a window turned round", component(good + #","from":"2026-12-02T00:00:00Z","until":"2026-12-01T00:00:00Z""#)),
        ("a component twice", Sample.document(components: "[{\(good)},{\(good)}]")),
        (
            "a component with two windows",
            Sample.document(components: #"[{\#(good)},{\#(good),"until":"2030-01-01T00:00:00Z"}]"#)
        ),
        ("no path", Sample.document(files: #"[{"digest":\#(digest)}]"#)),
        ("no digest of a file", Sample.document(files: #"[{"path":"/a"}]"#)),
        ("an unknown member of a file", file(path: "\"/a\"", more: #","name":"x""#)),
        ("a path of a number", file(path: "1")), ("a relative path", file(path: "\"a\"")),
        ("an empty path", file(path: "\"\"")), ("the root", file(path: "\"/\"")),
        ("a slash at the end", file(path: "\"/a/\"")), ("two slashes", file(path: "\"/a//b\"")),
        ("a point", file(path: "\"/a/./b\"")), ("two points", file(path: "\"/a/..\"")),
        ("a zero in a path", file(path: #""/a\u0000b""#)),
        ("a long path", file(path: "\"/\(String(repeating: "a", count: 4095))\"")),
        (
            "a file twice",
            Sample.document(files: #"[{"path":"/a","digest":\#(digest)},{"path":"/a","digest":\#(digest)}]"#)
        ),
        ("bytes that are no UTF-8", Sample.document(name: "\"") + [0xFF, 0x22, 0x7D]),
    ]

    @Test("Each way to spoil a set is refused", arguments: documents.indices)
    func refused(index: Int) {
        let (what, bytes) = Self.documents[index]
        #expect(throws: ReferenceSetError.self, "\(what)") { try ReferenceSet(parsing: bytes) }
    }

    @Test(
        "A digest has one spelling",
        arguments: [
            "", "sha256", "sha256:", Sample.digits, "sha256:\(Sample.digits.dropLast())",
            "sha256:\(Sample.digits.dropLast(2))", "sha256:\(Sample.digits)ab", "sha256:\(Sample.digits.uppercased())",
            "SHA256:\(Sample.digits)", "sha-256:\(Sample.digits)", "sha1:\(Sample.digits.prefix(40))",
            "sha384:\(Sample.digits)", "md5:\(Sample.digits.prefix(32))", " sha256:\(Sample.digits)",
            "sha256: \(Sample.digits.dropFirst())", "sha256:\(Sample.digits.dropLast())g", "sha256::\(Sample.digits)",
        ])
    func digests(text: String) {
        #expect(ReferenceDigest(text) == nil)
        #expect(throws: ReferenceSetError.self) {
            try ReferenceSet(parsing: Self.file(path: "\"/a\"", digest: "\"\(text)\""))
        }
    }

    @Test("SHA-1 proves nothing, and lengths are the algorithms'")
    func lengths() {
        #expect(ReferenceDigest(.insecureSHA1, [UInt8](repeating: 0, count: 20)) == nil)
        for algorithm in [HashAlgorithm.sha256, .sha384, .sha512] {
            for count in [0, 20, 31, 32, 33, 48, 64] {
                let digest = ReferenceDigest(algorithm, [UInt8](repeating: 7, count: count))
                #expect((digest != nil) == (count == algorithm.byteCount))
                if let digest { #expect(ReferenceDigest(digest.description) == digest) }
            }
        }
    }

    @Test("A document cut anywhere is refused")
    func truncation() {
        let bytes = Self.file(path: "\"/a\"")
        for count in 0..<bytes.count {
            #expect(throws: ReferenceSetError.self) { try ReferenceSet(parsing: Array(bytes.prefix(count))) }
        }
    }

    @Test("Too many bytes are not looked at, and a set that could not be read again is not written")
    func bounds() throws {
        var bytes = [UInt8](repeating: 0x20, count: ReferenceSet.maximumByteCount)
        bytes.replaceSubrange(0..<24, with: Array(#"{"version":1,"name":"a"}"#.utf8))
        #expect(try ReferenceSet(parsing: bytes).name == "a")
        #expect(throws: ReferenceSetError.tooLarge("67108865 bytes; at most 67108864 are read")) {
            try ReferenceSet(parsing: bytes + [0x20])
        }
        let digest = try Sample.digest(1), folder = String(repeating: "x", count: 4000)
        let files = try (0..<17_000).map { number in
            try #require(ReferenceFile(path: Array("/\(folder)/\(number)".utf8), digest))
        }
        #expect(throws: ReferenceSetError.self) { try ReferenceSet(name: "a", files: files).bytes() }
    }

    @Test("Countless tiny values are refused before they are made; commas and brackets in texts are none")
    func tinyValues() throws {
        for (value, count) in [("{}", 1_100_003), ("0", 2_500_007)] {
            let list = Array(repeating: value, count: count).joined(separator: ",")
            #expect {
                try ReferenceSet(parsing: Sample.document(files: "[\(list)]"))
            } throws: {
                if case .tooLarge(let reason) = $0 as? ReferenceSetError { reason.contains("values") } else { false }
            }
        }
        let text = String(repeating: #"{,[\"\\"#, count: 100)
        let set = try ReferenceSet(name: "a", description: text, files: [Sample.file("/" + text)])
        #expect(try ReferenceSet(parsing: set.bytes()) == set)
        let many = String(repeating: ",", count: 900)
        let files = try (0..<3000).map { try Sample.file("/\(many)\($0)") }
        #expect(try ReferenceSet(parsing: ReferenceSet(name: "a", files: files).bytes()).files.count == 3000)
    }

    @Test("One component too many is refused")
    func componentCount() throws {
        let digest = try Sample.digest(1)
        let components = try (0...ReferenceSet.maximumComponentCount).map {
            try #require(ReferenceComponent(.file, digest, name: "\($0)"))
        }
        #expect(throws: ReferenceSetError.self) { try ReferenceSet(name: "a", components: components) }
        #expect(try ReferenceSet(name: "a", components: components.dropLast()).components.count == 100_000)
    }
}
