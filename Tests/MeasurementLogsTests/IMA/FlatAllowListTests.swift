import Fixtures
import MeasurementLogs
import StrictEncoding
import Testing

/// Keylime's flat lists, a digest and a path in a line, against the IMA lists that it keeps beside them.
@Suite(
    "Lists of digests and paths as Keylime keeps them",
    .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
struct FlatAllowListTests {
    /// The digests of a flat list, at paths from the root.
    private func paths(_ name: String) throws -> [(path: [UInt8], digest: IMADigest)] {
        let text = try String(decoding: SharedFixtures.bytes("fixtures/ima/keylime/allowlist-" + name), as: UTF8.self)
        let algorithm = try #require(IMADigestAlgorithm(name: name.utf8))
        return try text.split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            let path = parts.last.map { $0.drop { $0 == " " } } ?? ""
            let digest = IMADigest(.file, algorithm, [UInt8](hex: String(parts[0])))
            return (Array(("/" + path).utf8), try #require(digest))
        }
    }

    private func file(_ name: String) throws -> IMAEntry { try RealIMAListTests.list("ima-log-" + name).list[1] }

    @Test("A file is allowed by the list of its hash", arguments: ["sha256", "sha384", "sha512"])
    func allowed(name: String) throws {
        let list = try IMAAllowList(paths: paths(name))
        #expect(list.verdict(of: try file(name)) == .allowedByPathAndDigest)
        for other in ["sha256", "sha384", "sha512"] where other != name {
            guard case .wrongDigest = list.verdict(of: try file(other)) else {
                Issue.record("the list of \(name) allows a file by \(other)")
                continue
            }
        }
    }

    @Test("A list of SHA-1 is none, and a file that another digest was measured of is not allowed")
    func refused() throws {
        let weak = try paths("sha1")
        let error = #expect(throws: IMAAllowList.WeakDigest.self) { try IMAAllowList(paths: weak) }
        #expect(error?.algorithm == .sha1)
        let sm3 = try paths("sm3_256")
        let expected = IMAVerdict.wrongDigest(expected: sm3.map(\.digest))
        #expect(try IMAAllowList(paths: sm3).verdict(of: file("sm3_256")) == expected)
    }
}
