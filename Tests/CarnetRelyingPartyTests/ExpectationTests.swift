import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Testing

/// Expectations about claims that only some verifiers make.
@Suite("Expectations")
struct ExpectationTests {
    /// The refusal of a good token whose payload has `addition` at the top and `labels` in the TPM's submodule.
    private func refusal(
        adding addition: String = "", labels: String = "", _ adjust: (inout Expectations) -> Void
    ) throws -> Refusal.Code? {
        let stage = try Stage(adjust)
        let payload = try stage.payload().replacing(#"{"eat_profile""#, with: "{" + addition + #""eat_profile""#)
            .replacing(#"{"appraisal_depth""#, with: "{" + labels + #""appraisal_depth""#)
        return stage.refusal(try stage.forge.token(payload: payload))
    }

    @Test("Key protections are ordered: software, tpm, tpm-state")
    func protections() throws {
        #expect(KeyProtection.allCases.sorted() == [.software, .tpm, .tpmState])
        #expect(!(KeyProtection.tpm < .tpm) && KeyProtection(rawValue: "tpm-state") == .tpmState)
        for (stated, demanded, isAccepted) in [
            (KeyProtection.tpmState, KeyProtection.tpmState, true), (.tpmState, .tpm, true), (.tpm, .tpmState, false),
            (.software, .tpm, false), (.software, .software, true),
        ] {
            let stage = try Stage { $0.minimumKeyProtection = demanded }
            let token = try stage.forge.signingKey.mint(stage.forge.result(issuedAt: Stage.now, protection: stated))
            #expect(stage.refusal(token) == (isAccepted ? nil : .keyProtection), "\(stated) \(demanded)")
        }
    }

    @Test("Labels of the machine are demanded one by one, byte for byte")
    func labels() throws {
        let stated = #""node_labels":{"rack":"7","zone":"north"},"#
        #expect(try refusal(labels: stated) { $0.nodeLabels = ["rack": "7"] } == nil)
        #expect(try refusal(labels: stated) { $0.nodeLabels = ["rack": "7", "zone": "north"] } == nil)
        #expect(try refusal(labels: stated) { $0.nodeLabels = ["rack": "8"] } == .nodeLabel)
        #expect(try refusal(labels: stated) { $0.nodeLabels = ["row": "7"] } == .nodeLabel)
        #expect(try refusal { $0.nodeLabels = ["rack": "7"] } == .nodeLabel)
        #expect(try refusal(labels: #""node_labels":{"rack":7},"#) { _ in } == .claims)
        #expect(try refusal(labels: #""node_labels":["rack"],"#) { _ in } == .claims)
        let many = (0..<65).map { #""l\#($0)":"x""# }.joined(separator: ",")
        #expect(try refusal(labels: #""node_labels":{\#(many)},"#) { _ in } == .claims)
        // At the top, where a stranger's claim could stand, they count for nothing.
        #expect(try refusal(adding: stated) { $0.nodeLabels = ["rack": "7"] } == .nodeLabel)
    }

    @Test(
        "Phases are demanded and forbidden by their words; where the passport states none that can be read, neither is met"
    )
    func phases() throws {
        let stated = #""phases":["enter-initrd","leave-initrd"],"#
        #expect(try refusal(labels: stated) { $0.phases.reached = ["leave-initrd"] } == nil)
        #expect(try refusal(labels: stated) { $0.phases.reached = ["sysinit"] } == .phase)
        #expect(try refusal(labels: stated) { $0.phases.notReached = ["leave-initrd"] } == .phase)
        #expect(try refusal(labels: stated) { $0.phases.notReached = ["sysinit"] } == nil)
        #expect(try refusal(labels: #""phases":[],"#) { $0.phases.notReached = ["leave-initrd"] } == nil)
        #expect(try refusal { $0.phases.notReached = ["leave-initrd"] } == .phase)
        #expect(try refusal(adding: stated) { $0.phases.reached = ["leave-initrd"] } == .phase)
        for spoiled in [#""phases":"leave-initrd","#, #""phases":[1],"#, #""phases":{},"#] {
            #expect(try refusal(labels: spoiled) { _ in } == .claims, "\(spoiled)")
            #expect(try refusal(labels: spoiled) { $0.phases.notReached = ["leave-initrd"] } != nil, "\(spoiled)")
        }
        let many = (0..<33).map { #""w\#($0)""# }.joined(separator: ",")
        #expect(try refusal(labels: #""phases":[\#(many)],"#) { _ in } == .claims)
    }

    @Test("Labels that the verifier writes are read")
    func writtenLabels() throws {
        let stage = try Stage { $0.nodeLabels = ["rack": "7"] }
        let made = try stage.forge.result(issuedAt: Stage.now)
        var claims = made.appraisal.verifierClaims
        claims.nodeLabels = ["zone": "n\"orth", "rack": "7"]
        let appraisal = SubmoduleAppraisal(
            status: made.appraisal.status, vector: made.appraisal.vector, policyIDs: made.appraisal.policyIDs,
            verifierClaims: claims)
        let result = AttestationResult(
            issuer: made.issuer, subject: made.subject, audience: made.audience, issuedAt: made.issuedAt,
            tokenID: made.tokenID, nonce: made.nonce, verifierID: made.verifierID, keyThumbprint: made.keyThumbprint,
            appraisal: appraisal)
        let verified = try stage.verifier.verify(try stage.forge.signingKey.mint(result), at: Stage.now)
        #expect(verified.submodules["tpm"]?.nodeLabels == ["zone": "n\"orth", "rack": "7"])
    }

    @Test(
        "A custom claim must be there with the same type and value",
        arguments: [
            (#""x":1,"#, ClaimValue.integer(1), true), (#""x":1.0,"#, 1, false), (#""x":"1","#, 1, false),
            (#""x":true,"#, 1, false), (#""x":1.0,"#, 1.0, true), (#""x":1,"#, 1.0, false), (#""x":1e0,"#, 1.0, true),
            (#""x":"a","#, "a", true), (#""x":"\u0061","#, "a", true), (#""x":"A","#, "a", false),
            (#""x":["a"],"#, "a", false), (#""x":true,"#, true, true), (#""x":false,"#, true, false),
            (#""x":null,"#, .null, true), (#""x":"null","#, .null, false), ("", .null, false), ("", "a", false),
            (#""y":{"x":"a"},"#, "a", false),
        ])
    func custom(text: String, value: ClaimValue, isAccepted: Bool) throws {
        #expect(try refusal(adding: text) { $0.claims = ["x": value] } == (isAccepted ? nil : .customClaim))
    }

    @Test("A policy is pinned by its digest under any name")
    func digests() throws {
        #expect(try refusal { $0.policyDigests = ["00"] } == nil)
        #expect(try refusal { $0.policyDigests = ["01", "00"] } == nil)
        #expect(try refusal { $0.policyDigests = ["01"] } == .policy)
        #expect(try refusal { $0.policyDigests = ["tag:carnet.dev,2026:policy/demo@sha256:00"] } == .policy)
        #expect(
            try refusal {
                $0.policyDigests = ["00"]
                $0.policyIDs = ["tag:other"]
            } == .policy)
    }

    @Test("What only a submodule can meet is demanded of the TPM's, also where none is required by name")
    func noneRequired() throws {
        let demands: [(Refusal.Code, (inout Expectations) -> Void)] = [
            (.policy, { $0.policyIDs = ["tag:other"] }),
            (.policy, { $0.policyDigests = [String(repeating: "ab", count: 32)] }),
            (.depth, { $0.minimumDepth = .eventLogAndIMA }),
            (.vector, { $0.vectorFloors = [.storageOpaque: .affirming] }),
        ]
        for (code, demand) in demands {
            #expect(
                try refusal {
                    $0.requiredSubmodules = []
                    demand(&$0)
                } == code)
        }
        #expect(try refusal { $0.requiredSubmodules = [] } == nil)
    }

    @Test("The name of one policy and the digest of another are not a policy")
    func onePolicy() throws {
        let digest = String(repeating: "ab", count: 32), other = String(repeating: "00", count: 32)
        for (named, isAccepted) in [
            (["tag:a@sha256:\(digest)"], true), (["tag:b@sha256:\(other)", "tag:a@sha256:\(digest)"], true),
            (["tag:a@sha256:\(other)", "tag:b@sha256:\(digest)"], false), (["tag:a"], false),
        ] {
            let stage = try Stage {
                $0.policyIDs = ["tag:a"]
                $0.policyDigests = [digest]
            }
            let list = named.map { "\"\($0)\"" }.joined(separator: ",")
            let payload = try stage.payload().replacing("\"tag:carnet.dev,2026:policy/demo@sha256:00\"", with: list)
            #expect(stage.refusal(try stage.forge.token(payload: payload)) == (isAccepted ? nil : .policy), "\(named)")
        }
    }

    @Test("A printed result holds no token")
    func printed() throws {
        let stage = try Stage(), token = try stage.good()
        let result = try stage.verifier.verify(token, at: Stage.now)
        var dumped = ""
        dump(result, to: &dumped)
        for text in ["\(result)", String(reflecting: result), dumped] {
            #expect(text.contains("affirming") && !text.contains("101") && text.utf8.count < 400, "\(text)")
        }
    }
}
