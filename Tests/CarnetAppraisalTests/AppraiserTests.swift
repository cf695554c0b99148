import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import MeasurementLogs
import TPM2
import Testing

@Suite("Appraisal")
struct AppraiserTests {
    let forge: EvidenceForge

    init() throws { forge = try EvidenceForge() }

    private static func policy(_ text: String) throws -> Policy { try Policy(parsing: Array(text.utf8)) }

    private static func values(_ log: EventLogBuilder, _ pcrs: [Int]) throws -> [Int: [UInt8]] {
        let replay = try #require(ReplayedEventLog(EventLog(parsing: log.bytes), bank: .sha256))
        return Dictionary(uniqueKeysWithValues: pcrs.map { ($0, replay.value(ofPCR: $0)) })
    }

    /// Appraises a machine whose PCRs are those of `actual`, and whose evidence carries `log`.
    private func outcome(
        _ policy: Policy, actual: EventLogBuilder = GoodBoot.log(), log: [UInt8]?, changing: [Int: [UInt8]] = [:]
    ) throws -> AppraisalOutcome {
        let pcrs = policy.selection.selections.flatMap(\.indices)
        let values = try Self.values(actual, pcrs).merging(changing) { $1 }
        let challenge = Challenge(nonce: [UInt8](repeating: 5, count: 32), selection: policy.selection, expiresAt: 0)
        var recipe = EvidenceForge.Recipe()
        recipe.eventLog = log
        let evidence = try forge.evidence(challenge, pcrs: [.sha256: values], recipe)
        let authentication = try UnverifiedQuote(evidence).authenticate(
            by: forge.key(), answering: challenge, after: nil)
        guard case .authentic(let quote) = authentication else {
            throw EvidenceError("", "the forged evidence is not authentic")
        }
        return Appraiser(policy: policy).appraise(quote)
    }

    private func brokenRules(_ outcome: AppraisalOutcome) -> [String]? {
        guard case .broken(let findings) = outcome else { return nil }
        #expect(findings.allSatisfy { $0.family == .brokenEvidenceChain && !$0.remedy.isEmpty })
        return findings.map(\.rule)
    }

    private func judged(_ outcome: AppraisalOutcome) -> Verdict? {
        guard case .verdict(let verdict) = outcome else { return nil }
        return verdict
    }

    @Test("A good boot is affirmed, with a log that explains every quoted PCR")
    func good() throws {
        let policy = try Self.policy(GoodBoot.policy(for: GoodBoot.log()))
        let verdict = try #require(try judged(outcome(policy, log: GoodBoot.log().bytes)))
        #expect(verdict.status == .affirming && verdict.findings.isEmpty && verdict.depth == .eventLog)
        #expect(verdict.policyID == policy.identifier && verdict.attesterClaims.secureBoot == true)
        #expect(verdict.vector.asserted.map(\.value) == [2, 2, 3, 2])
        #expect(verdict.vector[.runtimeOpaque] == nil && verdict.vector[.sourcedData] == nil)
    }

    @Test("A changed boot is contraindicated, and the finding names the event that moved the PCR away")
    func tampered() throws {
        let policy = try Self.policy(GoodBoot.policy(for: GoodBoot.log()))
        let tampered = GoodBoot.tamperedLog()
        let verdict = try #require(try judged(outcome(policy, actual: tampered, log: tampered.bytes)))
        #expect(verdict.status == .contraindicated && verdict.findings.count == 1)
        let finding = try #require(verdict.findings.first)
        #expect(finding.rule == "pcr-value" && finding.pcr == 4 && finding.family == .policyViolation)
        #expect(
            finding.event == tampered.measurements.count + 0, "the last event; EV_NO_ACTION shifts the number by one")
        #expect(finding.description.contains("implant.efi") && finding.expected != nil && finding.found != nil)
        #expect(verdict.vector[.executables] == 96 && verdict.vector[.hardware] == 2)
    }

    @Test("A log that does not lead to the quoted value breaks the chain")
    func unexplained() throws {
        let policy = try Self.policy(GoodBoot.policy(for: GoodBoot.log()))
        let hidden = try outcome(policy, actual: GoodBoot.tamperedLog(), log: GoodBoot.log().bytes)
        #expect(brokenRules(hidden) == ["pcr-unexplained"] && hidden.findings.first?.pcr == 4)
        let withoutEvents = try outcome(policy, log: EventLogBuilder().bytes)
        #expect(brokenRules(withoutEvents)?.count == GoodBoot.pcrs.count, "each quoted PCR lacks its events")
        let foreignBank = try outcome(policy, log: EventLogBuilder(banks: [.sha384]).bytes)
        #expect(brokenRules(foreignBank) == ["event-log-bank"])
    }

    @Test("A log that is missing, empty or unreadable breaks the chain where the policy demands one")
    func missingLog() throws {
        let policy = try Self.policy(GoodBoot.policy(for: GoodBoot.log()))
        #expect(try brokenRules(outcome(policy, log: nil)) == ["event-log-missing"])
        #expect(try brokenRules(outcome(policy, log: [])) == ["event-log-missing"])
        #expect(try brokenRules(outcome(policy, log: [1, 2, 3])) == ["event-log-unreadable"])
    }

    @Test("Where the log is optional, allowed values are enough, and the token says so")
    func optionalLog() throws {
        let text = try GoodBoot.policy(for: GoodBoot.log()).replacing(
            "event_log: required", with: "event_log: optional")
        let policy = try Self.policy(text)
        let verdict = try #require(try judged(outcome(policy, log: nil)))
        #expect(verdict.status == .affirming && verdict.depth == .pcrs)
        let ignoring = try Self.policy(text + "    14: ignore\n")
        #expect(try brokenRules(outcome(ignoring, log: nil)) == ["pcr-unexplained"], "nothing explains an ignored PCR")
        let changed = [UInt8](repeating: 7, count: 32)
        #expect(try judged(outcome(policy, log: nil, changing: [9: changed]))?.status == .contraindicated)
    }

    @Test("A quoted PCR without events must hold its start value")
    func noEvents() throws {
        let policy = try Self.policy(GoodBoot.policy(for: GoodBoot.log()) + "    14: ignore\n")
        #expect(try judged(outcome(policy, log: GoodBoot.log().bytes))?.status == .affirming)
        let extended = [14: [UInt8](repeating: 7, count: 32)]
        #expect(try brokenRules(outcome(policy, log: GoodBoot.log().bytes, changing: extended)) == ["pcr-unexplained"])
    }

    @Test("Several values may be allowed, and any other may not")
    func alternatives() throws {
        let good = try Self.values(GoodBoot.log(), [4])[4] ?? [], other = [UInt8](repeating: 3, count: 32)
        func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        func status(_ values: String) throws -> TrustTier? {
            let policy = try Self.policy("version: 1\nid: a\nbanks:\n  sha256:\n    4: \(values)\n")
            return try judged(outcome(policy, log: GoodBoot.log().bytes))?.status
        }
        #expect(try status(hex(good)) == .affirming)
        #expect(try status("[\(hex(other)), \(hex(good))]") == .affirming)
        #expect(try status("[\(hex(other))]") == .contraindicated)
    }

    @Test("An error separator and rewritten Secure Boot data are violations even if the values are ignored")
    func firmware() throws {
        var failed = GoodBoot.log()
        failed.add(pcr: 5, .separator, data: [1, 0, 0, 0])
        let ignoring = try Self.policy(
            GoodBoot.policy(for: GoodBoot.log()).replacing(#/    5: .*/#, with: "    5: ignore"))
        let verdict = try #require(try judged(outcome(ignoring, actual: failed, log: failed.bytes)))
        #expect(verdict.findings.map(\.rule) == ["firmware-error"] && verdict.status == .contraindicated)

        let policy = try Self.policy(GoodBoot.policy(for: GoodBoot.log()))
        var bytes = GoodBoot.log().bytes
        let name = Array("SecureBoot".utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: name) }) + name.count
        bytes[place] = 0
        let rewritten = try #require(try judged(outcome(policy, log: bytes)))
        #expect(rewritten.findings.map(\.rule) == ["event-data"] && rewritten.attesterClaims.secureBoot == nil)
    }

    @Test("Without a policy nothing is affirmed; under another policy the old quote is outdated")
    func noPolicy() throws {
        let policy = try Self.policy(GoodBoot.policy(for: GoodBoot.log()))
        let challenge = Challenge(nonce: [UInt8](repeating: 5, count: 32), selection: policy.selection, expiresAt: 0)
        let evidence = try forge.evidence(challenge, pcrs: [.sha256: Self.values(GoodBoot.log(), GoodBoot.pcrs)])
        guard
            case .authentic(let quote) = try UnverifiedQuote(evidence).authenticate(
                by: forge.key(), answering: challenge, after: nil)
        else { return #expect(Bool(false)) }
        #expect(judged(Appraiser(policy: nil).appraise(quote))?.status == TrustTier.none)
        let other = try Self.policy("version: 1\nid: b\nbanks: {sha256: {4: \(String(repeating: "ab", count: 32))}}\n")
        #expect(brokenRules(Appraiser(policy: other).appraise(quote)) == ["pcr-selection"])
    }
}
