import CarnetAppraisal
import CarnetEvidence
import Cryptography
import CarnetTesting
import MeasurementLogs
import StrictEncoding
import TPM2
import Testing

/// A machine, a policy, and what the appraiser says about both.
struct Scenario {
    var machine: ForgedMachine
    var policy: Policy?

    /// A machine that booted as `log` says, and a policy that pins PCRs at the values of `reference`.
    init(
        booting log: EventLogBuilder = GoodBoot.log(), pinning pcrs: [Int] = [0, 1, 4, 7],
        of reference: EventLogBuilder = GoodBoot.log(), ignoring ignored: [Int] = [],
        log rule: String = "required"
    ) throws {
        machine = try ForgedMachine(booting: log)
        let good = try ForgedMachine(booting: reference)
        policy = try Self.policy(
            good.registers, pinning: pcrs, ignoring: ignored, banks: reference.banks.map { TPM.AlgorithmID($0) },
            log: rule)
    }

    /// The policy as text, read.
    static func policy(
        _ registers: [TPM.AlgorithmID: [Int: [UInt8]]], pinning pcrs: [Int], ignoring ignored: [Int] = [],
        banks: [TPM.AlgorithmID] = [.sha256], log rule: String = "required"
    ) throws -> Policy {
        var text = "version: 1\nid: test\nevent_log: \(rule)\nbanks:\n"
        for bank in banks {
            text += "  \(bank):\n"
            for pcr in pcrs { text += "    \(pcr): \(Hexadecimal.encode(registers[bank]?[pcr] ?? []))\n" }
            for pcr in ignored { text += "    \(pcr): ignore\n" }
        }
        return try Policy(parsing: Array(text.utf8))
    }

    /// Authenticates the machine's quote over what the policy selects, and appraises it.
    func outcome(
        selecting selection: TPM.PCRSelectionList? = nil, at now: Int64 = 0,
        _ spoil: (inout ForgedMachine.Draft) throws -> Void = { _ in }
    ) throws -> AppraisalOutcome { try Appraiser(policy: policy).appraise(quote(selecting: selection, spoil), at: now) }

    /// The authenticated quote.
    func quote(
        selecting selection: TPM.PCRSelectionList? = nil,
        _ spoil: (inout ForgedMachine.Draft) throws -> Void = { _ in }
    ) throws -> AuthenticatedQuote {
        let asked = selection ?? policy?.selection ?? machine.challenge().selection
        let challenge = Challenge(nonce: [UInt8](repeating: 1, count: 32), selection: asked, expiresAt: 1)
        guard case .authentic(let quote) = try machine.authenticate(challenge, spoil) else { throw NotAuthentic() }
        return quote
    }

    struct NotAuthentic: Error {}
}

extension AppraisalOutcome {
    /// The verdict, or a failed test.
    func verdict(_ location: SourceLocation = #_sourceLocation) throws -> Verdict {
        guard case .verdict(let verdict) = self else {
            Issue.record("broken: \(findings)", sourceLocation: location)
            throw Scenario.NotAuthentic()
        }
        return verdict
    }

    /// The rules of a broken chain; empty for a verdict.
    var brokenRules: [String] {
        if case .broken(let findings) = self { findings.map(\.rule) } else { [] }
    }
}
