import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

@Suite(
    "IMA lists of real machines",
    .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
struct RealIMAListTests {
    static let machines = ["direct", "grub-sb", "uki", "uki-sb", "uki-cmdline", "uki-violation", "uki-sha256"]

    @Test("Lists of booted machines replay to the quoted PCR 10, and begin with their boot", arguments: machines)
    func booted(name: String) throws {
        let folder = "fixtures/measured-boot/\(name)/"
        let list = try IMAList(parsing: SharedFixtures.bytes(folder + "ima.bin"))
        let quoted = try #require(try RealPCRs.values(folder + "quote_pcrs.yaml")[.sha256])
        let value = try #require(quoted[10])
        let match = try #require(
            IMAReplay.match(list, bank: .sha256, mode: .native, quoted: value).match)
        #expect(match.coveredCount == list.count && list.count == (name == "uki-violation" ? 55 : 52))
        #expect(match.violations.count == (name == "uki-violation" ? 1 : 0))
        let outcome = IMABootAggregate.check(list, match) { $0 == .sha256 ? quoted[$1] : nil }
        guard case .matches(let aggregate, lastPCR: 9) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        let files = list.entries.compactMap { entry -> IMADigest? in
            if case .file(let file) = entry.content { file.digest } else { nil }
        }
        #expect(files.count == list.count - match.violations.count)
        let allowed = try IMAAllowList(digests: files.dropFirst())
        let verdicts = list.entries.map { allowed.verdict(of: $0, bootAggregate: aggregate) }
        #expect(verdicts.first == .bootAggregate && verdicts.filter { !$0.isAllowed }.count == match.violations.count)
        #expect(list.entries.allSatisfy { $0.statesTrueDigest })
    }

    @Test(
        "The other banks replay as the kernel extended them: SHA-1 by itself, SHA-384 with padded SHA-1",
        arguments: machines)
    func banks(name: String) throws {
        let folder = "fixtures/measured-boot/\(name)/"
        let list = try IMAList(parsing: SharedFixtures.bytes(folder + "ima.bin"))
        let values = try RealPCRs.values(folder + "pcrs.yaml")
        for (bank, mode) in [(HashAlgorithm.insecureSHA1, IMAReplay.Mode.native), (.sha384, .paddedSHA1)] {
            guard let value = values[TPM.AlgorithmID(bank)]?[10], value.contains(where: { $0 != 0 }) else { continue }
            #expect(IMAReplay.match(list, bank: bank, mode: mode, quoted: value).match?.coveredCount == list.count)
            guard mode == .paddedSHA1 else { continue }
            #expect(IMAReplay.match(list, bank: bank, mode: .native, quoted: value).match == nil)
        }
    }

    @Test("The list of one boot does not explain another's quote")
    func otherBoot() throws {
        let list = try IMAList(parsing: SharedFixtures.bytes("fixtures/measured-boot/uki/ima.bin"))
        let value = try #require(
            try RealPCRs.values("fixtures/measured-boot/uki-sb/quote_pcrs.yaml")[.sha256]?[10])
        #expect(IMAReplay.match(list, bank: .sha256, mode: .native, quoted: value).match == nil)
    }

    /// A line of the kernel's text list: PCR, template digest, template, then its fields.
    struct Line {
        let stated: [UInt8]
        let template: String
        let fields: [String]

        init?(_ text: Substring) {
            let parts = text.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 4, parts[0] == "10" else { return nil }
            stated = [UInt8](hex: parts[1])
            template = parts[2]
            fields = parts[3].split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            // A line of Keylime's has a letter in its digest that is not hexadecimal: no binary entry corresponds to it.
            guard let digits = fields[0].split(separator: ":").last, digits.allSatisfy(\.isHexDigit) else { return nil }
        }

        /// The entry in binary, with the digest that the line states.
        func add(to builder: inout IMAListBuilder) throws {
            guard template != "ima" else {
                builder.addLegacyFile(
                    fields[1], sha1: [UInt8](hex: fields[0]), isViolation: stated.allSatisfy { $0 == 0 })
                return
            }
            let digest = fields[0].split(separator: ":")
            var binary = [Array((digest[0] + ":").utf8) + [0] + [UInt8](hex: String(digest[1]))]
            var rest = fields[1].split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            let third = template == "ima-ng" ? nil : rest.count > 1 ? rest.removeLast() : ""
            binary.append(Array(rest.joined(separator: " ").utf8) + [0])
            if let third { binary.append([UInt8](hex: third)) }
            builder.add(template: template, fields: binary, statedDigest: Array(stated.prefix(20)))
        }
    }

    static func list(_ name: String) throws -> (list: IMAList, lines: [Line], bytes: [UInt8]) {
        let text = try String(decoding: SharedFixtures.bytes("fixtures/ima/keylime/" + name), as: UTF8.self)
        let lines = text.split(separator: "\n").compactMap(Line.init)
        var builder = IMAListBuilder()
        for line in lines { try line.add(to: &builder) }
        return (try IMAList(parsing: builder.bytes), lines, builder.bytes)
    }

    @Test("A list of the template ima recomputes: 858 entries, and 9 violations")
    func legacy() throws {
        let (list, lines, bytes) = try Self.list("ascii_runtime_measurements_ima")
        #expect(list.count == 867 && list.entries.filter(\.isViolation).count == 9)
        for (entry, line) in zip(list.entries, lines) {
            #expect(entry.statesTrueDigest && entry.statedDigest.elementsEqual(line.stated))
            if case .file(let file) = entry.content { #expect(file.digest.algorithm == .sha1) }
        }
        // Its old kernel extends padded SHA-1 everywhere; its boot had no TPM values.
        let values = IMASamples.fold(IMASamples.extensions(bytes), .sha256, .paddedSHA1)
        let match = IMAReplay.match(list, bank: .sha256, mode: .paddedSHA1, quoted: values[867]).match
        #expect(match?.coveredCount == 867 && match?.violations.count == 9)
    }

    @Test(
        "Keylime's lines of every template recompute and are read as what they are",
        arguments: ["embedded-ima-ast.txt", "embedded-ima-buf-devicemapper.txt", "embedded-ima-ng-sig-buf.txt"])
    func keylime(name: String) throws {
        let (list, lines, _) = try Self.list(name)
        #expect(list.count == ["embedded-ima-ast.txt": 6, "embedded-ima-buf-devicemapper.txt": 15][name] ?? 7)
        var wrong = 0
        for (entry, line) in zip(list.entries, lines) {
            if !entry.statesTrueDigest { wrong += 1 }
            switch entry.content {
            case .buffer: #expect(line.template == "ima-buf")
            case .file: #expect(line.template != "ima-buf")
            default: Issue.record("\(line)")
            }
        }
        // One signature in Keylime's verification test was spoiled on purpose.
        #expect(wrong == (name == "embedded-ima-ng-sig-buf.txt" ? 1 : 0))
    }

    @Test(
        "Digests of every hash are read, and unknown ones say nothing",
        arguments: ["sha1", "sha256", "sha384", "sha512", "sm3_256", "unknown"])
    func algorithms(name: String) throws {
        let (list, _, _) = try Self.list("ima-log-" + name)
        #expect(list.count >= 2)
        for entry in list.entries where !entry.isViolation {
            switch entry.content {
            case .file(let file): #expect(file.digest.algorithm == IMADigestAlgorithm(name: name.utf8))
            case .unreadable: #expect(name == "unknown")
            default: Issue.record("\(name)")
            }
        }
    }
}
