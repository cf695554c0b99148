import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import StrictEncoding
import TPM2
import Testing

@Suite("carnet policy predict", .timeLimit(.minutes(5)))
struct PredictCommandTests {
    private let carnet = Program("carnet"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// A boot that firmware, a loader of the name `\loader.efi`, and an initial RAM disk measured.
    private func log(_ loader: [UInt8], _ initrd: [UInt8]) throws -> EventLogBuilder {
        let image = try PEImage(parsing: loader)
        var path: [UInt8] = []
        for unit in "\\loader.efi\0".utf16 { path += [UInt8(truncatingIfNeeded: unit), 0] }
        let node = [4, 4, UInt8(path.count + 4), 0] + path + [0x7F, 0xFF, 4, 0]
        let load = [UInt8](repeating: 0, count: 24) + [UInt8(node.count)] + [UInt8](repeating: 0, count: 7) + node
        var log = EventLogBuilder(banks: [.sha256])
        log.add(pcr: 4, .efiBootServicesApplication, data: load) { image.authenticodeDigest($0) }
        log.add(pcr: 9, .eventTag, data: [0xEC, 0x22, 0x3B, 0x8F, 1, 0, 0, 0, 0], measuring: initrd)
        return log
    }

    private func values(_ log: EventLogBuilder) throws -> (four: String, nine: String) {
        let replay = try #require(ReplayedEventLog(try EventLog(parsing: log.bytes), bank: .sha256))
        return (replay.value(ofPCR: 4).hex, replay.value(ofPCR: 9).hex)
    }

    @Test("The PCRs of the next boot, as lines, as JSON, and as lines of a policy that is read")
    func values() async throws {
        let old = try log(MadeUpImage.kernel("old"), [1]), new = try log(MadeUpImage.kernel("new"), [2])
        let next = try values(new), last = try values(old)
        let file = try folder.write(old.bytes, "log.bin"), initrd = try folder.write([2], "initrd")
        let image = try folder.write(MadeUpImage.kernel("new"), "new.efi")
        let base = ["policy", "predict", "--event-log", file, "--efi", "LOADER.EFI=" + image, "--initrd", initrd]
        let text = try await carnet.run(base)
        #expect(text.status == 0 && text.text.contains("PCR 4  \(next.four)  changes"), "\(text)")
        #expect(text.text.contains("loader.efi") && text.text.contains("untrusted"))
        let document = try JSONDocument(
            parsing: try await carnet.run(base + ["--json"]).output, maximumByteCount: 65_536)
        let root = document.root
        #expect(root["pcrs"]?["9"]?["value"]?.string == next.nine && root["pcrs"]?["9"]?["was"]?.string == last.nine)
        #expect(root["changed"]?.elements?.map(\.integer) == [4, 9])
        #expect(root["changes"]?.elements?.map { $0["event"]?.integer } == [1, 0])
        let lines = try await carnet.run(base + ["--yaml"])
        let policy = try folder.write(Array(("version: 1\nid: next\nbanks:\n" + lines.text).utf8), "policy.yaml")
        let checked = try await carnet.run(["policy", "check", policy, "--json"])
        #expect(
            checked.status == 0 && lines.text.contains("    4: \(next.four)  # until then \(last.four)"), "\(checked)")
        let nothing = try await carnet.run(["policy", "predict", "--event-log", file])
        #expect(nothing.status == 0 && nothing.text.contains(last.four) && !nothing.text.contains("changes"))
    }

    @Test("What the log does not show ends with status 1, what cannot be read with 2")
    func refusals() async throws {
        let file = try folder.write(try log(MadeUpImage.kernel("old"), [1]).bytes, "log.bin")
        let image = try folder.write(MadeUpImage.kernel("new"), "new.efi"), text = try folder.write([1], "text")
        for (arguments, status) in [
            (["--efi", "shim.efi=\(image)"], 1), (["--command-line", "quiet"], 1),
            (["--uki", try folder.write(MadeUpImage.unified("k", "l", "i"), "u.efi")], 1), (["--kernel", text], 1),
            (["--efi", "loader.efi=\(text)"], 2), (["--runtime-log", text], 2), (["--bank", "sha384"], 2),
            (["--initrd", "/no/such"], 3),
        ] as [([String], Int32)] {
            let ending = try await carnet.run(["policy", "predict", "--event-log", file] + arguments)
            #expect(
                ending.status == status && ending.output.isEmpty && !ending.errors.isEmpty, "\(arguments) \(ending)")
        }
    }
}
