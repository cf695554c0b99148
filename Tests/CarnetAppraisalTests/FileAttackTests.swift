import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import Testing

/// What an attacker who runs what no policy allows does to the kernel's list, up to the verdict.
@Suite("What attackers do to the list of files")
struct FileAttackTests {
    /// An appraisal of a machine whose quote covers `list` and that sends `sent` instead.
    private func outcome(
        _ list: IMAListBuilder, sending sent: [UInt8]? = nil, allowing text: String = IMAPolicyTests.text
    ) throws -> AppraisalOutcome {
        var machine = try ForgedMachine()
        try machine.measure(list)
        let policy = try Policy(parsing: Array(text.utf8))
        let challenge = Challenge(nonce: [UInt8](repeating: 1, count: 32), selection: policy.selection, expiresAt: 1)
        let wanted = EvidenceRequirements(eventLog: .required, imaOffset: 0)
        let authentication = try machine.authenticate(challenge, wanting: wanted) { draft in
            if let sent { draft.ima = .init(offset: 0, entries: sent) }
        }
        guard case .authentic(let quote) = authentication else { throw Scenario.NotAuthentic() }
        return Appraiser(policy: policy).appraise(quote, at: 0)
    }

    /// Template names are not covered by the quote: the same bytes with every name replaced.
    private func relabelled(_ bytes: [UInt8], _ name: String) throws -> [UInt8] {
        var builder = IMAListBuilder()
        for entry in try IMAList(parsing: bytes).entries {
            builder.add(template: name, fields: entry.fields.map(Array.init), statedDigest: Array(entry.statedDigest))
        }
        return builder.bytes
    }

    @Test(
        "A file of another template's name is the file that it was", arguments: ["ima-buf", "ima-ng", "ima-sig", "x"])
    func relabelled(name: String) throws {
        let good = try GoodBoot.imaList()
        let verdict = try outcome(good, sending: relabelled(good.bytes, name)).verdict()
        #expect(verdict.status == .affirming && verdict.findings.isEmpty)
        // Excused as a buffer, a file that nothing allows would be let in.
        let text = IMAPolicyTests.text.replacing("  exclude:", with: "  exclude_buffers: [\"/usr/**/*\"]\n  exclude:")
        var bad = good
        let digest = try #require(IMADigest(.file, .sha256, HashAlgorithm.sha256.hash([6])))
        bad.addFile("/usr/bin/evil", digest, signature: [3, 2, 4, 1, 2, 3, 4, 0, 2, 9, 9])
        let found = try outcome(bad, sending: relabelled(bad.bytes, name), allowing: text).verdict()
        #expect(found.status == .contraindicated && found.findings.map(\.rule) == ["ima-unknown"])
    }

    @Test("A list that is shortened, emptied, reordered, doubled or mended does not lead to the quoted value")
    func edited() throws {
        var list = try GoodBoot.imaList()
        GoodBoot.addFile("/usr/bin/evil", [6], to: &list)
        list.addViolation("/usr/bin/bash")
        let bytes = list.bytes, read = try IMAList(parsing: bytes)
        let starts = read.entries.map { $0.statedDigest.startIndex - 4 } + [bytes.count]
        let pieces = zip(starts, starts.dropFirst()).map { Array(bytes[$0..<$1]) }
        var forgeries: [[UInt8]] = [[]]
        for index in pieces.indices {
            var dropped = pieces, doubled = pieces
            dropped.remove(at: index)
            forgeries.append(dropped.flatMap { $0 })
            forgeries.append(pieces.prefix(index).flatMap { $0 })
            guard index > 0 else { continue }
            var exchanged = pieces
            exchanged.swapAt(index - 1, index)
            forgeries.append(exchanged.flatMap { $0 })
            guard index < pieces.count - 1 else { continue }
            doubled.insert(pieces[index], at: index)
            forgeries.append(doubled.flatMap { $0 })
        }
        // The violation with a stated digest, so that it is a file's entry; the file's digest made an allowed one's.
        forgeries.append(bytes.flipping(bit: read[4].statedDigest.startIndex * 8))
        let allowed = HashAlgorithm.sha256.hash(Array("/usr/bin/bash".utf8))
        let place = try #require(bytes.firstRange(of: HashAlgorithm.sha256.hash([6])))
        forgeries.append(bytes.prefix(place.lowerBound) + allowed + bytes.dropFirst(place.upperBound))
        for (number, forgery) in forgeries.enumerated() {
            #expect(try outcome(list, sending: forgery).brokenRules == ["ima-list-replay"], "forgery \(number)")
        }
        let honest = try outcome(list).verdict()
        #expect(honest.findings.map(\.rule) == ["ima-unknown", "ima-violation"])
    }

    @Test(
        "A violation is found behind any number of files that only warn, and a file behind any number of such violations",
        arguments: [("others", "violations", "ima-violation"), ("violations", "others", "ima-unknown")])
    func crowded(lenient: String, strict: String, rule: String) throws {
        let text = IMAPolicyTests.text.replacing(
            "ima:\n", with: "ima:\n  \(lenient): accept\n  \(strict): refuse\n")
        for count in [1, 49, 50, 200] {
            var list = try GoodBoot.imaList()
            func add(_ number: Int, isFile: Bool) {
                let path = "/opt/\(number)"
                if isFile { GoodBoot.addFile(path, Array(path.utf8), to: &list) } else { list.addViolation(path) }
            }
            for number in 0..<count { add(number, isFile: lenient == "others") }
            add(count, isFile: strict == "others")
            let verdict = try outcome(list, allowing: text).verdict()
            #expect(verdict.status == .contraindicated && verdict.findings.map(\.rule) == [rule], "behind \(count)")
        }
    }
}
