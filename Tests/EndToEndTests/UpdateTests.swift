import CarnetTesting
import CarnetEvidence
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// One part of a machine becomes another, and its policy follows: before, or with a template, or back again.
@Suite("An update on a real TPM", .serialized, .timeLimit(.minutes(3)))
struct UpdateTests {
    enum Part: CaseIterable {
        case bootLoader, kernel, initrd, commandLine

        /// The machine with another one.
        func updated(_ boot: GRUBBoot) -> GRUBBoot {
            var boot = boot
            switch self {
            case .bootLoader: boot.grub = MadeUpImage.kernel("grub 2.12")
            case .kernel: boot.kernel = MadeUpImage.kernel("linux 6.1.56")
            case .initrd: boot.initrd = Array("initrd of linux 6.1.56".utf8)
            case .commandLine: boot.arguments += " debug"
            }
            return boot
        }
    }

    /// What a finding has to be about.
    private struct Place: Hashable {
        let pcr: Int?
        let event: Int?
        let found: String?
    }

    /// The events that are others in `new`, as findings have to name them.
    private static func places(_ old: EventLogBuilder, _ new: EventLogBuilder) throws -> Set<Place> {
        let log = try EventLog(parsing: new.bytes)
        var places: Set<Place> = []
        for (index, pair) in zip(old.measurements, new.measurements).enumerated()
        where pair.0.digests != pair.1.digests {
            // Commands are named by their text, behind its label.
            let text = String(decoding: log[index].untrustedData.dropLast(), as: UTF8.self).split(
                separator: ": ", maxSplits: 1
            ).last.map(String.init)
            let digest = pair.1.digests[.sha256]?.hex
            places.insert(Place(pcr: pair.1.pcr, event: index, found: pair.1.pcr == 8 ? text : digest))
        }
        return places
    }

    private static func time(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }

    /// The policy with what `places` are about as next values of their classes.
    private static func next(_ policy: String, _ places: Set<Place>, from: Int64, until: Int64) -> String {
        let classes = [4: "application", 8: "command", 9: "file"]
        var policy = policy, lines: [String: Set<String>] = [:]
        for place in places {
            guard let kind = place.pcr.flatMap({ classes[$0] }), let found = place.found else { continue }
            let value = place.pcr == 8 ? "text: \"\(found)\"" : "digest: \"sha256:\(found)\", name: next"
            lines[kind, default: []].insert(
                "      - {\(value), from: \"\(time(from))\", until: \"\(time(until))\"}\n")
        }
        for (kind, lines) in lines {
            guard let start = policy.range(of: "  \(kind):"),
                let allow = policy.range(of: "    allow:\n", range: start.upperBound..<policy.endIndex)
            else { continue }
            policy.insert(contentsOf: lines.sorted().joined(), at: allow.upperBound)
        }
        return policy
    }

    @Test(
        "Drafted, contraindicated with exactly what changed, let in by next values in their window, and rolled back",
        arguments: Part.allCases)
    func components(part: Part) async throws {
        let boot = GRUBBoot(), old = try boot.log(), new = try part.updated(boot).log()
        let changed = try Self.places(old, new)
        try await LivingMachine.enrolled(old, policy: GoodBoot.policy(for: old)) { machine in
            let first = try await machine.attest(old)
            #expect(first.status == "affirming" && first.findings.isEmpty, "\(first)")
            // Drafted from the evidence that the verifier keeps of the good machine.
            let drafted = try await machine.carnet(["policy", "draft", "--from", LivingMachine.name, "--id", "rack"])
            let file = try machine.folder.write(drafted.output, "drafted.yaml")
            let rehearsed = try await machine.carnet(["policy", "rehearse", file])
            #expect(rehearsed.text.contains("node-17  affirming  affirming"), "\(rehearsed.text)")
            try await machine.activate(drafted.text)
            let good = try await machine.attest(old)
            #expect(good.status == "affirming" && good.findings.isEmpty, "\(good)")

            try machine.boot(new)
            let bad = try await machine.attest(new)
            #expect(bad.status == "contraindicated")
            #expect(
                Set(bad.findings.map { Place(pcr: $0.pcr, event: $0.event, found: $0.found) }) == changed
                    && bad.findings.count == changed.count, "\(bad)")
            for finding in bad.findings {
                #expect(finding.rule == "component-unknown" && finding.family == .policyViolation)
                #expect(finding.expected?.isEmpty == false && finding.remedy.contains("add it to components."))
            }
            let agent = try await machine.agent(new)
            #expect(agent.status == 1)
            for finding in bad.findings {
                #expect(agent.errors.contains(finding.description) && agent.errors.contains(finding.remedy))
            }

            // Next values, from tomorrow until the day after.
            let clock = machine.office.verifier.clock, day: Int64 = 86_400
            let next = Self.next(drafted.text, changed, from: clock.now + day, until: clock.now + 2 * day)
            try await machine.activate(next)
            let early = try await machine.attest(new)
            #expect(early.status == "contraindicated" && early.findings.count == changed.count, "\(early)")
            #expect(early.rules.allSatisfy { $0 == "component-window" })
            clock.advance(by: day + day / 2)
            let inTime = try await machine.attest(new)
            #expect(inTime.status == "affirming" && inTime.findings.isEmpty, "\(inTime)")
            try await machine.carnet(["policy", "rollback", "rack"])
            let rolledBack = try await machine.attest(new)
            #expect(rolledBack.status == "contraindicated" && rolledBack.findings == bad.findings)
            try await machine.activate(next)
            try machine.boot(old)
            let stillGood = try await machine.attest(old)
            #expect(stillGood.status == "affirming", "\(stillGood)")
            clock.advance(by: day)
            try machine.boot(new)
            let late = try await machine.attest(new)
            #expect(late.status == "contraindicated" && late.findings == early.findings, "\(late)")
        }
    }

    @Test("A template lets the very next attestation in, and out again when it is removed", arguments: Part.allCases)
    func template(part: Part) async throws {
        let boot = GRUBBoot(), old = try boot.log(), new = try part.updated(boot).log()
        let policy = try GoodBoot.policy(for: old) + "templates: accepted\n"
        try await LivingMachine.enrolled(old, policy: policy) { machine in
            let before = try machine.pcrs(GoodBoot.pcrs)
            let first = try await machine.attest(old)
            #expect(first.status == "affirming")
            try machine.boot(new)
            let after = try machine.pcrs(GoodBoot.pcrs), moved = GoodBoot.pcrs.filter { before[$0] != after[$0] }
            #expect(!moved.isEmpty)
            let bad = try await machine.attest(new)
            #expect(bad.status == "contraindicated" && bad.rules == moved.map { _ in "pcr-value" })
            #expect(bad.findings.map(\.pcr) == moved && bad.findings.map(\.found) == moved.map { after[$0]?.hex })
            #expect(bad.findings.map(\.expected) == moved.map { before[$0]?.hex })
            // One value says nothing about the way to it: the PCR's last event is named.
            for finding in bad.findings {
                #expect(finding.event == new.measurements.lastIndex { $0.pcr == finding.pcr })
                #expect(!finding.remedy.isEmpty)
            }
            let values = moved.map { "\($0): \(after[$0]?.hex ?? "")" }.joined(separator: ", ")
            let file = try machine.folder.write(
                Array("version: 1\nname: image-2\nbanks: {sha256: {\(values)}}\n".utf8), "template.yaml")
            try await machine.carnet(["policy", "template", "add", file])
            let good = try await machine.attest(new)
            #expect(good.status == "affirming" && good.findings.isEmpty, "\(good)")
            try machine.boot(old)
            let both = try await machine.attest(old)
            #expect(both.status == "affirming")
            try await machine.carnet(["policy", "template", "remove", "image-2"])
            try machine.boot(new)
            let gone = try await machine.attest(new)
            #expect(gone.status == "contraindicated" && gone.findings == bad.findings)
        }
    }
}
