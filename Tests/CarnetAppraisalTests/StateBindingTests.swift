import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import TPM2
import Testing

@Suite("Bound keys in a token")
struct StateBindingTests {
    private let attributes: TPM.ObjectAttributes = [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .noDA]

    private func area(
        _ key: PrivateKey, _ usage: TPM.ObjectAttributes, _ selection: TPM.PCRSelectionList, of machine: ForgedMachine
    ) throws -> TPM.Public {
        let point = try key.publicKey.coordinates
        let policy = try #require(TPM.PolicyDigest().pcr(selection, in: machine.registers))
        return TPM.Public(
            attributes: attributes.union(usage), authPolicy: policy.bytes,
            scheme: usage == .sign ? .ecdsa(.sha256) : .ecdh(.sha256), key: .ecc(curve: .p256, x: point.x, y: point.y))
    }

    private func submodule(_ scenario: Scenario, _ quote: AuthenticatedQuote) throws -> SubmoduleAppraisal {
        try Appraiser(policy: scenario.policy).appraise(quote, at: 0).verdict().submodule(for: quote)
    }

    @Test("A key over all that the policy rules is stated as bound to the state, each key by itself")
    func stated() throws {
        let scenario = try Scenario(pinning: [0, 4], ignoring: [7]), policy = try #require(scenario.policy)
        let quote = try scenario.quote {
            $0.confirmation?.certify(
                try area(scenario.machine.confirmationKey, .sign, policy.stateSelection, of: scenario.machine))
        }
        let claims = try submodule(scenario, quote).verifierClaims
        #expect(claims.keyProtection == .tpmState && claims.encryptionKey?.protection == .tpm)
        #expect(claims.state?.pcrs == "sha256:0,4,7" && claims.state?.storageKey == nil)
        #expect(
            claims.state?.policy
                == TPM.PolicyDigest().pcr(policy.stateSelection, in: scenario.machine.registers)?.bytes)
    }

    @Test("A key over fewer PCRs than the policy rules is bound to the TPM only, and the token states no state")
    func fewer() throws {
        for selection in [[0, 4], [0, 7], [4, 7], [0, 4, 7, 8]] {
            let scenario = try Scenario(pinning: [0, 4], ignoring: [7])
            let quote = try scenario.quote {
                $0.confirmation?.certify(
                    try area(
                        scenario.machine.confirmationKey, .sign, .init(bank: .sha256, indices: selection),
                        of: scenario.machine))
            }
            let claims = try submodule(scenario, quote).verifierClaims
            #expect(claims.keyProtection == .tpm && claims.state == nil, "\(selection)")
        }
    }

    @Test("IMA's PCR is no part of the state, where the policy looks at files; elsewhere PCR 10 is one like others")
    func ima() throws {
        let policy = try Policy(parsing: Array(IMAPolicyTests.text.utf8))
        #expect(policy.selection.selections.map(\.indices) == [Array(0...10)])
        #expect(policy.stateSelection.selections.map(\.indices) == [Array(0...9)])
        var machine = try ForgedMachine()
        try machine.measure(GoodBoot.imaList())
        let challenge = Challenge(nonce: [UInt8](repeating: 1, count: 32), selection: policy.selection, expiresAt: 1)
        func protection(_ selection: TPM.PCRSelectionList) throws -> KeyProtection {
            let authentication = try machine.authenticate(
                challenge, wanting: EvidenceRequirements(eventLog: .required, imaOffset: 0)
            ) { $0.confirmation?.certify(try area(machine.confirmationKey, .sign, selection, of: machine)) }
            guard case .authentic(let quote) = authentication else { throw Scenario.NotAuthentic() }
            return try Appraiser(policy: policy).appraise(quote, at: 0).verdict().submodule(for: quote).verifierClaims
                .keyProtection
        }
        #expect(try protection(policy.stateSelection) == .tpmState)
        #expect(try protection(policy.selection) == .tpm, "one policy is right, not two")
        let other = try Scenario(pinning: [0, 4], ignoring: [10])
        #expect(other.policy?.stateSelection == other.policy?.selection)
    }

    @Test("Without a policy nothing is bound to a state")
    func withoutPolicy() throws {
        let scenario = try Scenario()
        let quote = try scenario.quote {
            $0.confirmation?.certify(
                try area(
                    scenario.machine.confirmationKey, .sign, .init(bank: .sha256, indices: [0, 1, 4, 7]),
                    of: scenario.machine))
        }
        let claims = try Appraiser(policy: nil).appraise(quote, at: 0).verdict().submodule(for: quote).verifierClaims
        #expect(claims.keyProtection == .tpm && claims.state == nil)
    }

    @Test("The claim is written, read back, and refused when it is something else")
    func claim() throws {
        let key = try JSONWebKey(PrivateKey.generate().publicKey)
        let state = StateBinding(pcrs: "sha256:0,4", policy: [UInt8](repeating: 9, count: 32), storageKey: key)
        var claims = VerifierClaims(depth: .pcrs, keyProtection: .tpmState, banks: ["sha256"])
        claims.state = state
        let forge = try TokenForge()
        let submodule = SubmoduleAppraisal(
            status: .affirming, vector: TrustworthinessVector(), policyIDs: [], verifierClaims: claims)
        let result = AttestationResult(
            issuer: "https://verifier.example", subject: "urn:x", audience: ["a"], issuedAt: 1, tokenID: "12345678",
            nonce: [UInt8](repeating: 1, count: 32), verifierID: .init(developer: "d", build: "b"),
            keyThumbprint: key.thumbprint, appraisal: submodule)
        let token = try forge.signingKey.mint(result)
        #expect(try StateBinding(inPassport: token) == state)
        #expect(token.count < 2048)
        let text = String(decoding: result.claimsSet, as: UTF8.self)
        for (target, replacement) in [
            (#""pcrs":"sha256:0,4""#, #""pcrs":"sha256:0;4""#), (#""pcrs":"sha256:0,4""#, #""pcrs":4"#),
            (#""policy":"CQ"#, #""policy":"CQk"#), (#""crv":"P-256""#, #""crv":"P-384""#),
            (#""state":{"#, #""state":[{"#),
        ] {
            let payload = text.replacing(target, with: replacement)
            #expect(payload != text, "\(target)")
            #expect(throws: JOSEError.self, "\(replacement)") {
                try StateBinding(inPassport: forge.token(payload: payload))
            }
        }
    }
}
