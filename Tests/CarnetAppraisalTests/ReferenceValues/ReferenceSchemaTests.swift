import Foundation
import CarnetAppraisal
import StrictEncoding
import Testing

@Suite("Docs/reference-set.schema.json says what the parser does")
struct ReferenceSchemaTests {
    let root: JSONNode

    init() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        let bytes = [UInt8](try Data(contentsOf: package.appending(path: "Docs/reference-set.schema.json")))
        root = try JSONDocument(parsing: bytes, maximumByteCount: 1 << 16).root
    }

    private func matches(_ text: String, _ pattern: JSONNode?) throws -> Bool {
        text.wholeMatch(of: try Regex(#require(pattern?["pattern"]?.string))) != nil
    }

    @Test("Members and classes are those that are read")
    func members() {
        #expect(
            root["properties"]?.members?.map(\.name) == ["version", "name", "description", "components", "files"])
        #expect(root["required"]?.elements?.map(\.string) == ["version", "name"])
        let component = root["$defs"]?["component"]
        #expect(component?["properties"]?.members?.map(\.name) == ["class", "digest", "name", "from", "until"])
        #expect(
            component?["properties"]?["class"]?["enum"]?.elements?.map(\.string)
                == ReferenceComponent.Class.allCases.map(\.rawValue))
        for node in [root, component, root["$defs"]?["file"]] {
            #expect(node?["additionalProperties"]?.boolean == false)
        }
        #expect(
            root["properties"]?["components"]?["maxItems"]?.integer == Int64(ReferenceSet.maximumComponentCount))
        #expect(root["properties"]?["files"]?["maxItems"]?.integer == Int64(ReferenceSet.maximumFileCount))
    }

    @Test("Names, digests, times and paths are judged alike")
    func patterns() throws {
        for name in ["a", "a.b_c-9", "", "A", "a/b", "ä", String(repeating: "a", count: 65)] {
            #expect(try matches(name, root["properties"]?["name"]) == ReferenceSet.isName(name), "\(name)")
        }
        let digits = Sample.digits
        for digest in ["sha256:\(digits)", "sha256:\(digits)0", "sha1:\(digits)", "sha512:\(digits)\(digits)", digits] {
            #expect(try matches(digest, root["$defs"]?["digest"]) == (ReferenceDigest(digest) != nil), "\(digest)")
        }
        for time in [
            "2026-12-01T00:00:00Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z",
            "2026-12-01T24:00:00Z", "2026-12-01T00:00:60Z", "2026-12-01",
        ] {
            #expect(try matches(time, root["$defs"]?["time"]) == (RFC3339.parse(time) != nil), "\(time)")
        }
        let digest = try Sample.digest(1)
        for path in ["/a", "/a/b.c", "/..a", "/a..", "/", "", "a", "/a/", "//a", "/./a", "/a/..", "/.", "/a b/é"] {
            #expect(
                try matches(path, root["$defs"]?["file"]?["properties"]?["path"])
                    == (ReferenceFile(path: Array(path.utf8), digest) != nil), "\(path)")
        }
        for name in ["x", "", "ü", "a b", "a\nb", String(repeating: "x", count: 129)] {
            #expect(
                try matches(name, root["$defs"]?["component"]?["properties"]?["name"])
                    == (ReferenceComponent(.file, digest, name: name) != nil), "\(name)")
        }
    }
}
