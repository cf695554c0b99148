import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import MeasurementLogs
import TPM2
import Testing

@Suite("The AR4SI vector claims what was looked at, and no more")
struct VectorTests {
    private typealias Values = [TrustworthinessVector.Claim: Int8]

    private func values(_ verdict: Verdict) -> [TrustworthinessVector.Claim: Int8] {
        Dictionary(uniqueKeysWithValues: verdict.vector.asserted.map { ($0.claim, $0.value) })
    }

    @Test("Firmware, configuration and boot loaders pinned and explained")
    func full() throws {
        let verdict = try Scenario().outcome().verdict()
        let expected: Values = [.instanceIdentity: 2, .hardware: 2, .configuration: 2, .executables: 3]
        #expect(values(verdict) == expected)
    }

    @Test(
        "Each claim needs the PCR that carries it pinned",
        arguments: [
            ([0], [.hardware: 2]), ([2], [:]), ([4], [.executables: 3]), ([8], [:]), ([5], [:]), ([3], [:]),
            ([7], [.configuration: 2]), ([1], [.configuration: 2]), ([0, 7], [.hardware: 2, .configuration: 2]),
        ] as [([Int], [TrustworthinessVector.Claim: Int8])])
    func pins(pcrs: [Int], expected: [TrustworthinessVector.Claim: Int8]) throws {
        let rest = [0, 4].filter { !pcrs.contains($0) }
        let verdict = try Scenario(pinning: pcrs, ignoring: rest).outcome().verdict()
        #expect(verdict.status == .affirming)
        #expect(values(verdict) == expected.merging([.instanceIdentity: 2]) { $1 })
    }

    @Test("Executables are claimed only where the log explains the boot")
    func withoutLog() throws {
        let verdict = try Scenario(log: "optional").outcome { $0.log = nil }.verdict()
        let expected: Values = [.instanceIdentity: 2, .hardware: 2, .configuration: 2]
        #expect(values(verdict) == expected)
    }

    @Test("What fails is contraindicated, and the rest keeps what was found")
    func failures() throws {
        let spoilt: [(Int, Values)] = [
            (0, [.hardware: 97, .configuration: 2, .executables: 3]),
            (1, [.hardware: 2, .configuration: 96, .executables: 3]),
            (4, [.hardware: 2, .configuration: 2, .executables: 96]),
        ]
        for (pcr, expected) in spoilt {
            var log = GoodBoot.log()
            log.add(pcr: pcr, .efiAction, data: [1])
            let verdict = try Scenario(booting: log).outcome().verdict()
            #expect(verdict.status == .contraindicated && verdict.vector.worstTier == .contraindicated)
            #expect(values(verdict) == expected.merging([.instanceIdentity: 2]) { $1 }, "PCR \(pcr)")
        }
    }

    @Test("A TPM never claims memory, storage, files or data sources")
    func never() throws {
        for verdict in [
            try Scenario().outcome().verdict(),
            try Scenario(booting: GoodBoot.log(secureBoot: 0)).outcome().verdict(),
        ] {
            for claim in [TrustworthinessVector.Claim.runtimeOpaque, .sourcedData, .storageOpaque, .fileSystem] {
                #expect(verdict.vector[claim] == nil)
            }
        }
    }

    @Test("The submodule of a token carries keys, depth, nonce and policy; a bad machine's says so")
    func submodule() throws {
        let scenario = try Scenario()
        let quote = try scenario.quote()
        let submodule = try Appraiser(policy: scenario.policy).appraise(quote, at: 0).verdict().submodule(for: quote)
        #expect(submodule.status == .affirming && submodule.evidenceNonce == quote.nonce)
        #expect(submodule.policyIDs == [scenario.policy?.identifier].compactMap { $0 })
        #expect(submodule.verifierClaims.depth == .eventLog && submodule.verifierClaims.keyProtection == .tpm)
        #expect(
            submodule.verifierClaims.encryptionKey?.protection == .tpm && submodule.verifierClaims.banks == ["sha256"])
        let bad = try Scenario(booting: GoodBoot.log(secureBoot: 0))
        let badQuote = try bad.quote()
        let contraindicated = try Appraiser(policy: bad.policy).appraise(badQuote, at: 0).verdict().submodule(
            for: badQuote)
        #expect(contraindicated.status == .contraindicated)
    }
}
