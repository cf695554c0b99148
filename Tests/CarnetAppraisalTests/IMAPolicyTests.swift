import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// Files that ran after the boot, against a policy's `ima` section.
@Suite("Appraisal of the kernel's list of files")
struct IMAPolicyTests {
    private static func digest(_ content: String) -> String {
        "sha256:" + HashAlgorithm.sha256.hash(Array(content.utf8)).hex
    }

    static let text = """
        version: 1
        id: files
        banks:
          sha256: {0: ignore, 1: ignore, 2: ignore, 3: ignore, 4: ignore, 5: ignore, 6: ignore, 7: ignore, 8: ignore, 9: ignore, 10: ignore}
        components:
          application: {allow: ["\(digest("shim"))", "\(digest("grub"))"]}
        ima:
          allow:
            digests: ["\(digest("/usr/lib/systemd/systemd"))"]
            files: {/usr/bin/bash: "\(digest("/usr/bin/bash"))"}
          exclude: ["/tmp/**/*"]
        """

    private let machine: ForgedMachine
    private let list: IMAListBuilder
    private let wanted = EvidenceRequirements(eventLog: .required, imaOffset: 0)

    init() throws {
        var machine = try ForgedMachine()
        list = try GoodBoot.imaList()
        try machine.measure(list)
        self.machine = machine
    }

    private func outcome(
        _ machine: ForgedMachine, _ text: String = text, offset: Int = 0, from checkpoint: IMACheckpoint? = nil,
        _ spoil: (inout ForgedMachine.Draft) throws -> Void = { _ in }
    ) throws -> AppraisalOutcome {
        let policy = try Policy(parsing: Array(text.utf8))
        let challenge = Challenge(
            nonce: [UInt8](repeating: 1, count: 32), selection: policy.selection, expiresAt: 1)
        var wanted = wanted
        wanted.imaOffset = offset
        guard case .authentic(let quote) = try machine.authenticate(challenge, wanting: wanted, spoil) else {
            throw Scenario.NotAuthentic()
        }
        return Appraiser(policy: policy).appraise(quote, at: 0, ima: checkpoint)
    }

    private func running(_ add: (inout IMAListBuilder) -> Void) throws -> ForgedMachine {
        var machine = machine, list = list
        add(&list)
        try machine.measure(list)
        return machine
    }

    @Test("A machine whose every file is allowed is affirmed, with its files in the verdict")
    func good() throws {
        let verdict = try outcome(machine).verdict()
        #expect(verdict.status == .affirming && verdict.findings.isEmpty && verdict.depth == .eventLogAndIMA)
        #expect(verdict.vector[.executables] == 2 && verdict.imaCheckpoint?.entryCount == 3)
        let excluded = try running { GoodBoot.addFile("/tmp/x/y", [1], to: &$0) }
        #expect(try outcome(excluded).verdict().status == .affirming)
    }

    @Test("A file that nothing allows, another content, a violation: each is named with its number")
    func bad() throws {
        let unknown = try outcome(running { GoodBoot.addFile("/usr/bin/evil", [6], to: &$0) }).verdict()
        #expect(unknown.status == .contraindicated && unknown.imaCheckpoint == nil)
        let finding = try #require(unknown.findings.first)
        #expect(finding.rule == "ima-unknown" && finding.pcr == 10 && finding.event == 3)
        #expect(finding.description.contains("/usr/bin/evil") && unknown.vector[.executables] == 96)
        let other = try outcome(running { GoodBoot.addFile("/usr/bin/bash", [6], to: &$0) }).verdict()
        #expect(
            other.findings.first?.rule == "ima-digest" && other.findings.first?.expected?.contains("sha256:") == true)
        let violated = try outcome(running { $0.addViolation("/usr/bin/bash") }).verdict()
        #expect(violated.findings.map(\.rule) == ["ima-violation"])
        let warned = try outcome(
            running { $0.addViolation("/usr/bin/bash") },
            Self.text.replacing("ima:\n", with: "ima:\n  violations: warn\n")
        ).verdict()
        #expect(warned.status == .warning && warned.vector[.executables] == 33 && warned.imaCheckpoint == nil)
    }

    @Test("A list that is missing, unreadable, shortened, changed or of another boot is a broken chain")
    func broken() throws {
        #expect(try outcome(machine) { $0.ima = nil }.brokenRules == ["ima-list-missing"])
        let optional = Self.text.replacing("ima:\n", with: "ima:\n  list: optional\n")
        let absent = try outcome(ForgedMachine(), optional) { $0.ima = nil }.verdict()
        #expect(absent.status == .affirming && absent.depth == .eventLog && absent.vector[.executables] == 3)
        // There is one, and the machine chose not to show it.
        let withheld = try outcome(machine, optional) { $0.ima = nil }.verdict()
        #expect(withheld.status == .warning && withheld.findings.map(\.rule) == ["ima-list-missing"])
        #expect(
            try outcome(machine) { $0.ima = .init(offset: 0, entries: [1, 2, 3]) }.brokenRules == [
                "ima-list-unreadable"
            ])
        let shorter = try GoodBoot.imaList()
        var more = shorter
        GoodBoot.addFile("/usr/bin/evil", [6], to: &more)
        let ran = try running { GoodBoot.addFile("/usr/bin/evil", [6], to: &$0) }
        #expect(
            try outcome(ran) { $0.ima = .init(offset: 0, entries: shorter.bytes) }.brokenRules == ["ima-list-replay"])
        // What stands behind the quoted value is not used, for good or for bad.
        #expect(try outcome(machine) { $0.ima = .init(offset: 0, entries: more.bytes) }.verdict().status == .affirming)
        var elsewhere = try ForgedMachine(booting: GoodBoot.log(secureBoot: 0))
        try elsewhere.measure(list)
        #expect(try outcome(elsewhere).brokenRules == ["ima-boot-aggregate"])
        // Without the entry that ties it to a boot it could be of any.
        var untied = try ForgedMachine(), files = IMAListBuilder()
        GoodBoot.addFile("/usr/bin/bash", Array("/usr/bin/bash".utf8), to: &files)
        try untied.measure(files)
        #expect(try outcome(untied).brokenRules == ["ima-boot-aggregate"])
    }

    @Test("A list that may stay away demands nothing")
    func optionalAlone() {
        let text = Self.text.split(separator: "\n").filter {
            !$0.contains("components:") && !$0.contains("application:")
        }
        .joined(separator: "\n")
        #expect((try? Policy(parsing: Array(text.utf8))) != nil)
        let optional = text.replacing("ima:\n", with: "ima:\n  list: optional\n")
        #expect((try? Policy(parsing: Array(optional.utf8))) == nil)
    }

    @Test("A part of the list goes on from the checkpoint, and from nothing else")
    func incremental() throws {
        let checkpoint = try #require(try outcome(machine).verdict().imaCheckpoint)
        let ran = try running { GoodBoot.addFile("/tmp/a/b", [1], to: &$0) }
        let verdict = try outcome(ran, offset: 3, from: checkpoint).verdict()
        #expect(verdict.status == .affirming && verdict.imaCheckpoint?.entryCount == 4)
        let evil = try running { GoodBoot.addFile("/usr/bin/evil", [6], to: &$0) }
        let found = try outcome(evil, offset: 3, from: checkpoint).verdict()
        #expect(found.findings.map(\.event) == [3] && found.imaCheckpoint == nil)
        #expect(try outcome(ran, offset: 3).brokenRules == ["ima-continuity"], "no checkpoint")
        let later = try #require(verdict.imaCheckpoint)
        #expect(try outcome(ran, offset: 3, from: later).brokenRules == ["ima-continuity"], "another place")
        let rebooted = try ForgedMachine()
        var other = rebooted
        try other.measure(list)
        #expect(try outcome(other, offset: 3, from: later).brokenRules == ["ima-continuity"])
        // The whole list is good again, whatever was known.
        #expect(try outcome(ran, offset: 0, from: checkpoint).verdict().status == .affirming)
    }

    @Test(
        "Every fault of the section is named by its member",
        arguments: [
            ("10: ignore}", "11: ignore}", "ima"), ("3: ignore, ", "", "ima"),
            ("  allow:\n    digests", "  mode: sha1\n  allow:\n    digests", "ima.mode"),
            ("\"/tmp/**/*\"", "\"**\"", "ima.exclude"), ("  exclude:", "  excluded:", "ima.excluded"),
            ("digests: [\"sha256:", "digests: [\"sha1:", "ima.allow.digests"),
            ("ima:\n", "ima:\n  pcr: 7\n", "ima.pcr"), ("ima:\n", "ima:\n  list: perhaps\n", "ima.list"),
            ("    files:", "    keys: [AAAA]\n    files:", "ima.allow.keys"),
        ])
    func faults(from: String, to: String, member: String) throws {
        let text = Self.text.replacing(from, with: to, maxReplacements: 1)
        #expect(text != Self.text)
        do throws(PolicyError) {
            _ = try Policy(parsing: Array(text.utf8))
            Issue.record("accepted")
        } catch { #expect(error.member == member, "\(error)") }
    }
}
