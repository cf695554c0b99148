import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// Policies whose allowed components and files stand in sets of reference values.
@Suite("Policies that name reference sets")
struct PolicyReferenceTests {
    private static func digest(_ content: String, _ hash: HashAlgorithm = .sha256) throws -> ReferenceDigest {
        try #require(ReferenceDigest(hash, hash.hash(Array(content.utf8))))
    }

    private static func component(
        _ type: ReferenceComponent.Class, _ content: String, until: Int64? = nil
    ) throws -> ReferenceComponent {
        let window = try #require(ValidityWindow(from: nil, until: until))
        return try #require(ReferenceComponent(type, digest(content), name: content, window: window))
    }

    private static func file(_ path: String) throws -> ReferenceFile {
        try #require(ReferenceFile(path: Array(path.utf8), digest(path)))
    }

    /// What ``GoodBoot`` boots and runs.
    private static func set(
        name: String = "debian-13", until: Int64? = nil,
        files: [String] = ["/usr/lib/systemd/systemd", "/usr/bin/bash"]
    ) throws -> ReferenceSet {
        try ReferenceSet(
            name: name,
            components: [
                component(.application, "shim"), component(.application, "grub", until: until),
                component(.kernel, "kernel"), component(.initrd, "initrd"),
            ], files: files.map(file))
    }

    private static func text(_ references: [String]) -> String {
        """
        version: 1
        id: by-sets
        references: [\(references.map { "\"\($0)\"" }.joined(separator: ", "))]
        banks:
          sha256: {0: ignore, 1: ignore, 2: ignore, 3: ignore, 4: ignore, 5: ignore, 6: ignore, 7: ignore, 8: ignore, 9: ignore, 10: ignore}
        components:
          application: {}
          file: {}
        ima: {}
        """
    }

    private func policy(_ sets: [ReferenceSet], with held: [ReferenceSet]? = nil) throws -> Policy {
        let names = try sets.map { try ReferenceSetName($0).description }
        return try Policy(parsing: Array(Self.text(names).utf8)).resolved(with: (held ?? sets).map { try $0.bytes() })
    }

    private func outcome(
        _ policy: Policy, at now: Int64 = 0, running add: (inout IMAListBuilder) -> Void = { _ in }
    ) throws -> AppraisalOutcome {
        var machine = try ForgedMachine(), list = try GoodBoot.imaList()
        add(&list)
        try machine.measure(list)
        let challenge = Challenge(nonce: [UInt8](repeating: 1, count: 32), selection: policy.selection, expiresAt: 1)
        let wanted = EvidenceRequirements(eventLog: .required, imaOffset: 0)
        guard case .authentic(let quote) = try machine.authenticate(challenge, wanting: wanted, { _ in }) else {
            throw Scenario.NotAuthentic()
        }
        return Appraiser(policy: policy).appraise(quote, at: now)
    }

    @Test("What a set holds is allowed, and nothing else is")
    func allowed() throws {
        let whole = try policy([Self.set()])
        #expect(whole.missingReferences.isEmpty && whole.warnings.allSatisfy { !$0.contains("count for nothing") })
        #expect(try outcome(whole).verdict().status == .affirming)
        let evil = try outcome(whole) { GoodBoot.addFile("/usr/bin/evil", [6], to: &$0) }.verdict()
        #expect(evil.status == .contraindicated && evil.findings.map(\.rule) == ["ima-unknown"])
        let other = try outcome(whole) { GoodBoot.addFile("/usr/bin/bash", [6], to: &$0) }.verdict()
        #expect(try other.findings.first?.expected == Self.digest("/usr/bin/bash").description)
        let empty = try policy([try ReferenceSet(name: "empty")])
        #expect(try outcome(empty).verdict().findings.filter { $0.rule == "component-unknown" }.count == 4)
    }

    @Test("Values of several sets and of the policy add up")
    func several() throws {
        let boot = try ReferenceSet(name: "boot", components: Self.set().components)
        let files = try ReferenceSet(name: "files", files: Self.set().files)
        #expect(try outcome(policy([boot, files])).verdict().status == .affirming)
        #expect(try outcome(policy([files])).verdict().status == .contraindicated)
    }

    @Test("A value of a set counts in its window only")
    func windows() throws {
        let policy = try policy([Self.set(until: 100)])
        #expect(try outcome(policy, at: 99).verdict().status == .affirming)
        let late = try outcome(policy, at: 100).verdict()
        #expect(late.status == .contraindicated && late.findings.map(\.rule) == ["component-window"])
    }

    @Test("While a set is missing nothing is affirmed, and the finding names it")
    func missing() throws {
        let set = try Self.set(), policy = try policy([set], with: [])
        #expect(policy.missingReferences == [try ReferenceSetName(set)])
        guard case .broken(let findings) = try outcome(policy) else { throw Scenario.NotAuthentic() }
        #expect(findings.map(\.rule) == ["reference-missing"])
        #expect(try findings.first?.expected == ReferenceSetName(set).description)
    }

    @Test("A set counts for the digest that its bytes have, never for its name")
    func substituted() throws {
        let set = try Self.set(), other = try Self.set(files: ["/usr/bin/evil"])
        #expect(try !policy([set], with: [other]).missingReferences.isEmpty)
        let renamed = try ReferenceSetName(set).description.replacing("debian-13", with: "debian-12")
        let policy = try Policy(parsing: Array(Self.text([renamed]).utf8))
        #expect(throws: PolicyError.self) { try policy.resolved(with: [set.bytes()]) }
        // The same values in another spelling have another digest.
        #expect(try !policy.resolved(with: [set.bytes() + [0x0A]]).missingReferences.isEmpty)
    }

    @Test("A set makes no rule: what the policy does not ask about is told, and not asked about")
    func unused() throws {
        let set = try Self.set(), name = try ReferenceSetName(set).description
        let text = """
            version: 1
            id: by-sets
            references: \(name)
            banks: {sha256: {0: ignore, 4: ignore}}
            components: {application: {}}
            """
        let policy = try Policy(parsing: Array(text.utf8)).resolved(with: [set.bytes()])
        let told = policy.warnings.filter { $0.contains("count for nothing") }
        #expect(told.count == 2 && told[0].contains("class file") && told[1].contains("has files"))
        #expect(policy.components.map(\.componentClass) == [.application] && policy.ima == nil)
    }

    @Test("Digests of banks that are not quoted are left out")
    func banks() throws {
        let strange = try #require(
            ReferenceComponent(.application, Self.digest("shim", .sha384), name: "shim"))
        let policy = try policy([ReferenceSet(name: "strange", components: [strange])])
        #expect(policy.components.allSatisfy { $0.allowed.isEmpty })
    }

    @Test("Names are told by their text, at most sixteen, each once")
    func names() throws {
        let digits = String(repeating: "ab", count: 32)
        func reads(_ names: [String]) -> Bool { (try? Policy(parsing: Array(Self.text(names).utf8))) != nil }
        func name(_ number: Int) -> String { "set@sha256:" + HashAlgorithm.sha256.hash([UInt8(number)]).hex }
        #expect(reads([]) && reads(["a@sha256:" + digits]) && reads((0..<16).map(name)))
        #expect(!reads((0..<17).map(name)) && !reads(["a@sha256:" + digits, "b@sha256:" + digits]))
        for bad in [
            "a", "a@", "a@sha256:", "a@sha384:" + digits, "a@sha256:AB" + digits.dropFirst(2), "a b@sha256:" + digits,
        ] {
            #expect(!reads([bad]), "\(bad)")
        }
    }
}
