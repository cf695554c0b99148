import CarnetAttester
import Cryptography
import Fixtures
import Foundation
import Testing

/// Headers that cryptsetup wrote, and what somebody who writes to the disk makes of them.
@Suite("LUKS2 headers", .enabled(if: TestVolume.isPossible, "cryptsetup is not installed"), .timeLimit(.minutes(5)))
struct LUKS2HeaderTests {
    private let folder = try? TemporaryDirectory()

    private func header() async throws -> [UInt8] {
        let volume = try await TestVolume(in: #require(folder))
        try await volume.run(
            ["token", "import", "--json-file", "-", volume.path], input: Array(#"{"type":"x","keyslots":["0"]}"#.utf8))
        return try volume.header
    }

    private func refusal(_ header: [UInt8]) -> LUKS2Error? {
        do throws(LUKS2Error) {
            _ = try LUKS2Header(parsing: header)
            return nil
        } catch { return error }
    }

    @Test("A header of cryptsetup's is read as it is, with Argon2 too")
    func good() async throws {
        let volume = try await TestVolume(in: #require(folder))
        let header = try LUKS2Header(parsing: volume.header)
        #expect(header.cipher == "aes-xts-plain64" && header.keyslots == [0] && header.tokens.isEmpty)
        #expect(header.isComplete && header.uuid.count == 36 && header.label.isEmpty)
        let text = try await volume.run(["luksUUID", volume.path])
        #expect(text == header.uuid + "\n")
        let argon = volume.path + ".argon"
        _ = FileManager.default.createFile(atPath: argon, contents: Data(count: 20 << 20))
        try await volume.run(
            [
                "luksFormat", "--batch-mode", "--type", "luks2", "--pbkdf", "argon2id", "--pbkdf-memory", "64",
                "--pbkdf-parallel", "1", "--pbkdf-force-iterations", "4", "--label", "data", argon, volume.keyFile,
            ])
        #expect(try VolumeFile(argon).header().label == "data")
    }

    /// What is replaced in the JSON, what by, and a word of the refusal.
    static let spoilings: [(old: String, new: String, word: String)] = [
        (
            #""offset":"16777216","size":"dynamic","iv_tweak":"0","encryption":"aes-xts-plain64""#,
            #""offset":"16777216","size":"dynamic","iv_tweak":"0","encryption":"cipher_null-ecb""#,
            "the segment has the null cipher"
        ),
        (
            #""size":"258048","encryption":"aes-xts-plain64""#, #""size":"258048","encryption":"cipher_null-ecb""#,
            "the area of keyslot 0 has the null cipher"
        ),
        ("aes-xts-plain64", "aes-ecb", "not accepted"), ("aes-xts-plain64", "NULL", "null cipher"),
        (#""type":"crypt""#, #""type":"linear""#, "not encrypted"),
        (#""sector_size":4096"#, #""sector_size":4096,"integrity":{"type":"none"}"#, "integrity"),
        (#""sector_size":4096"#, #""sector_size":4096,"flags":["backup-final"]"#, "flags"),
        (#""sector_size":4096"#, #""sector_size":1"#, "sectors"),
        (#""config":{"#, #""config":{"requirements":{"mandatory":["online-reencrypt-v2"]},"#, "online-reencrypt-v2"),
        (#""config":{"#, #""config":{"requirements":{"optional":[]},"#, "optional"),
        (#""key_size":64,"af""#, #""key_size":16,"af""#, "128 bits"),
        (#""encryption":"aes-xts-plain64","key_size":64"#, #""encryption":"aes-xts-plain64","key_size":1"#, "8 bits"),
        (#""type":"luks2""#, #""type":"reencrypt""#, "reencrypt"), (#""type":"raw""#, #""type":"journal""#, "raw"),
        (#""iterations":1000,"#, #""iterations":1,"#, "iterations"),
        (#""hash":"sha256""#, #""hash":"sha1""#, "sha1"), (#""stripes":4000"#, #""stripes":1"#, "stripes"),
        (#""offset":"16777216""#, #""offset":"0""#, "over the header"),
        (#""offset":"32768""#, #""offset":"0""#, "keyslots"), (#""size":"258048""#, #""size":"0""#, "keyslots"),
        (#""size":"258048""#, #""size":"999999999999""#, "keyslots"),
        (#""keyslots_size":"16744448""#, #""keyslots_size":"9999998976""#, "128 MiB"),
        (#""json_size":"12288""#, #""json_size":"12289""#, "json_size"),
        (#""segments":{"0""#, #""segments":{"1""#, "segments"),
        (#""segments":["0"]"#, #""segments":[]"#, "keyslot"),
        (#""keyslots":["0"],"segments""#, #""keyslots":[],"segments""#, "keyslot"),
        (#"{"type":"x","keyslots":["0"]}"#, #"{"type":"x","keyslots":["9"]}"#, "not there"),
        (#"{"type":"x","keyslots":["0"]}"#, #"{"type":"carnet","keyslots":["0"]}"#, "token of Carnet"),
        (#""tokens":{"0""#, #""tokens":{"32""#, "number"), (#""keyslots":{"0""#, #""keyslots":{"00""#, "number"),
        (#""config":{"#, #""more":{},"config":{"#, "more"),
        (#""config":{"#, #""config":{"json_size":"12288","#, "one way"),
        (#""type":"pbkdf2","keyslots""#, #""type":"none","keyslots""#, "PBKDF2"),
    ]

    @Test("What encrypts nothing, is in flight or is not known is refused, with right checksums", arguments: spoilings)
    func spoiled(_ change: (old: String, new: String, word: String)) async throws {
        let header = try await header()
        let forged = HeaderForge.replacing(change.old, change.new, in: header)
        #expect(forged != header, "the test changes nothing: \(change.old)")
        let refusal = try #require(self.refusal(forged))
        #expect(refusal.description.contains(change.word), "\(refusal)")
        // One copy is enough: cryptsetup could choose it.
        if refusal.code == .refused {
            #expect(
                self.refusal(HeaderForge.replacing(change.old, change.new, in: header, copies: [1]))?.code == .refused)
        }
    }

    @Test("A damaged copy is made from the other; with both damaged there is no header")
    func damaged() async throws {
        let good = try await header(), whole = try LUKS2Header(parsing: good)
        for copy in [0, 1] {
            for offset in [0, 7, 8, 20, 80, 260, 450, 4096, 9000] {
                var bytes = good
                bytes[copy * 16_384 + offset] ^= 1
                let header = try LUKS2Header(parsing: bytes)
                #expect(
                    !header.isComplete && header.uuid == whole.uuid && header.tokens == whole.tokens,
                    "\(copy) \(offset)")
                bytes[(1 - copy) * 16_384 + offset] ^= 1
                #expect(refusal(bytes) != nil)
            }
        }
        for count in [0, 6, 4095, 4096, 16_383] { #expect(refusal(Array(good.prefix(count))) != nil) }
        var trailing = good
        trailing[16_383] = 1
        trailing[32_767] = 1
        HeaderForge.seal(&trailing, 0)
        HeaderForge.seal(&trailing, 1)
        #expect(refusal(trailing)?.description.contains("follow") == true)
        #expect(refusal([UInt8](repeating: 0, count: 65_536))?.code == LUKS2Error.Code.none)
    }

    @Test("Of two good copies the newer counts, as for cryptsetup")
    func newer() async throws {
        var bytes = HeaderForge.replacing(#"{"type":"x""#, #"{"type":"y""#, in: try await header(), copies: [1])
        #expect(try LUKS2Header(parsing: bytes).tokens[0]?.type == "x")
        bytes[16_384 + 22] += 1
        HeaderForge.seal(&bytes, 1)
        let header = try LUKS2Header(parsing: bytes)
        #expect(header.tokens[0]?.type == "y" && !header.isComplete)
    }
}
