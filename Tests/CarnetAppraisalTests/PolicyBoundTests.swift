import CarnetAppraisal
import CarnetEvidence
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import Testing

/// How much a policy may ask of an appraisal.
@Suite("Bounds of policies")
struct PolicyBoundTests {
    private static func policy(_ components: String) -> String {
        """
        version: 1
        id: bounds
        banks:
          sha256: {0: ignore, 2: ignore, 4: ignore, 7: ignore, 8: ignore, 9: ignore, 11: ignore, 12: ignore, 14: ignore}
        boot: {secure_boot: required}
        components: {\(components)}
        """
    }

    private static func error(_ text: String) -> PolicyError? {
        do throws(PolicyError) {
            _ = try Policy(parsing: Array(text.utf8))
            return nil
        } catch { return error }
    }

    @Test("A class of texts has at most 256 patterns", arguments: [ComponentClass.command, .commandLine])
    func patterns(kind: ComponentClass) throws {
        func text(_ count: Int) -> String {
            let texts = (0..<count).map { "\"linux /vmlinuz-\($0) *\"" }
            return Self.policy("\(kind.rawValue): {allow: [\(texts.joined(separator: ", "))]}")
        }
        let policy = try Policy(parsing: Array(text(256).utf8))
        #expect(policy.components.first?.allowed.count == 256)
        let refused = try #require(Self.error(text(257)))
        #expect(refused.member == "components.\(kind.rawValue).allow" && refused.line != nil)
        #expect(refused.reason == "has more than 256 components", "\(refused)")
    }

    @Test("Files that are excluded and versions of firmware have at most 256 patterns each")
    func otherPatterns() throws {
        for (from, name) in [("exclude: [", "ima.exclude"), ("exclude_buffers: [", "ima.exclude_buffers")] {
            func text(_ count: Int) -> String {
                let patterns = (0..<count).map { "\"/var/\($0)/*\"" }.joined(separator: ", ")
                return IMAPolicyTests.text.replacing("exclude: [\"/tmp/**/*\"]", with: "\(from)\(patterns)]")
            }
            #expect(try Policy(parsing: Array(text(256).utf8)).ima != nil)
            let refused = try #require(Self.error(text(257)))
            #expect(refused.member == name && refused.reason == "has more than 256 patterns", "\(refused)")
        }
        let versions = (0..<257).map { "\"1.\($0)*\"" }.joined(separator: ", ")
        let text = Self.policy("").replacing("required}", with: "required, firmware_versions: [\(versions)]}")
        #expect(Self.error(text)?.member == "boot.firmware_versions")
    }

    @Test("A class of digests has at most 10,000, and each class its own")
    func digests() throws {
        func list(_ count: Int) -> String {
            (0..<count).map { number in
                let digits = String(number, radix: 16)
                return "\"sha256:" + String(repeating: "0", count: 64 - digits.count) + digits + "\""
            }.joined(separator: ", ")
        }
        let policy = try Policy(parsing: Array(Self.policy("application: {allow: [\(list(10_000))]}").utf8))
        #expect(policy.components.first?.allowed.count == 10_000)
        let refused = try #require(Self.error(Self.policy("file: {allow: [\(list(10_001))]}")))
        #expect(refused.member == "components.file.allow" && refused.reason == "has more than 10000 components")
        let two = "driver: {allow: [\(list(257))]}, file: {allow: [\(list(257))]}"
        #expect(try Policy(parsing: Array(Self.policy(two).utf8)).components.map(\.allowed.count) == [257, 257])
    }

    @Test("A PCR has at most 256 values")
    func values() throws {
        func text(_ count: Int) -> String {
            let values = (0..<count).map { [UInt8](repeating: 7, count: 30) + [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            return "version: 1\nid: a\nbanks: {sha256: {0: [\(values.map(\.hex).joined(separator: ", "))]}}"
        }
        #expect(Self.error(text(256)) == nil)
        let refused = try #require(Self.error(text(257)))
        #expect(refused.member == "banks.sha256.0" && refused.reason.contains("257 values; 1 to 256"))
    }

    @Test("A text's pattern and an excluded path of 40 stars take one pass over what they are compared with")
    func stars() throws {
        // With backtracking, 40 stars in 4,000 letters would have more ways to be tried than there are atoms to count them.
        let pattern = "/" + String(repeating: "*a", count: 40) + "b", path = "/" + String(repeating: "a", count: 4000)
        let text = IMAPolicyTests.text.replacing("\"/tmp/**/*\"", with: "\"\(pattern)\"")
            .replacing(
                "components:\n", with: "components:\n  command: {allow: [\"linux*\", \"linux \(pattern)\"]}\n")
        #expect(text.contains(pattern))
        let command = "linux " + path
        var log = GoodBoot.log()
        log.add(pcr: 8, .ipl, data: Array("grub_cmd: \(command)\0".utf8), measuring: Array(command.utf8))
        var machine = try ForgedMachine(booting: log), list = try GoodBoot.imaList(after: log)
        for number in 0..<50 { GoodBoot.addFile(path, [UInt8(number)], to: &list) }
        try machine.measure(list)
        let policy = try Policy(parsing: Array(text.utf8))
        let challenge = Challenge(nonce: [UInt8](repeating: 1, count: 32), selection: policy.selection, expiresAt: 1)
        let wanted = EvidenceRequirements(eventLog: .required, imaOffset: 0)
        guard case .authentic(let quote) = try machine.authenticate(challenge, wanting: wanted) else {
            throw Scenario.NotAuthentic()
        }
        let verdict = try Appraiser(policy: policy).appraise(quote, at: 0).verdict()
        #expect(verdict.findings.filter { $0.rule == "ima-unknown" }.count == 50)
        #expect(verdict.findings.contains { $0.pcr == 8 && $0.found == String(command.prefix(512)) })
    }
}
