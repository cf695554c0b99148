import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Foundation
import StrictEncoding
import Testing

@Suite("Explanations")
struct ExplanationTests {
    @Test("A good passport lacks nothing, and says what it is")
    func good() throws {
        let stage = try Stage()
        let explanation = stage.verifier.explain(try stage.good(), at: Stage.now)
        #expect(explanation.isAccepted && explanation.isAuthentic && explanation.lacks.isEmpty)
        #expect(explanation.facts?.issuer == Stage.issuer && explanation.facts?.status == "affirming")
        #expect(explanation.facts?.expiresAt == Stage.now + 300)
        #expect(explanation.description == "The passport is all that is demanded.")
    }

    @Test("Everything that is lacking is listed, in the order of the checks")
    func everything() throws {
        let stage = try Stage {
            $0.issuer = "https://other.example"
            $0.audience = "https://elsewhere.example"
            $0.maximumAge = 10
            $0.requiredSubmodules = ["tpm", "gpu"]
            $0.vectorFloors = [.fileSystem: .affirming, .hardware: .affirming]
            $0.policyIDs = ["tag:other"]
            $0.policyDigests = ["ff"]
            $0.minimumDepth = .eventLogAndIMA
            $0.minimumKeyProtection = .tpmState
            $0.nodeLabels = ["rack": "7"]
            $0.claims = ["region": "north", "tier": 3]
            $0.nonce = [1, 2, 3, 4, 5, 6, 7, 8]
        }
        let explanation = stage.verifier.explain(try stage.good(), at: Stage.now + 400)
        #expect(!explanation.isAccepted && explanation.isAuthentic)
        #expect(
            explanation.lacks.map(\.code) == [
                "issuer", "audience", "expired", "too-old", "submodule", "vector", "policy", "policy", "depth",
                "custom-claim", "custom-claim", "nonce", "key-protection", "node-label",
            ])
        let decoded = try JSONDecoder().decode(
            PassportExplanation.self, from: try JSONEncoder().encode(explanation))
        #expect(decoded == explanation)
        #expect(explanation.description.contains("- The token is not meant for https://elsewhere.example (audience)."))
    }

    @Test("What cannot be believed ends the list")
    func envelope() throws {
        let stage = try Stage { $0.audience = "https://elsewhere.example" }
        var forged = try stage.good()
        forged[forged.count - 2] ^= 1
        let explanation = stage.verifier.explain(forged, at: Stage.now)
        #expect(!explanation.isAuthentic && !explanation.isAccepted && explanation.lacks.count == 1)
        #expect(explanation.facts == nil, "nothing that a forged token says is repeated")
        let other = stage.verifier.explain(try Stage().good(), at: Stage.now)
        #expect(other.lacks.map(\.code) == ["unknown-key"] && other.facts == nil)
        #expect(stage.verifier.explain([UInt8](repeating: 65, count: 20_000), at: 0).lacks.map(\.code) == ["too-large"])
        let unreadable = stage.verifier.explain(try stage.forge.token(payload: #"{"a":1,"a":1}"#), at: Stage.now)
        #expect(unreadable.isAuthentic && unreadable.lacks.map(\.code) == ["duplicate-member"])
    }

    /// Whatever is done to a token: it is explained as accepted exactly when it is accepted, and the first lack is the refusal.
    @Test("Explaining and verifying agree")
    func agreement() throws {
        let stage = try Stage {
            $0.minimumDepth = .eventLog
            $0.policyIDs = ["tag:carnet.dev,2026:policy/demo"]
        }
        let payload = try stage.payload()
        var tokens = [try stage.good(), try stage.good(issuedAt: Stage.now - 4000), try stage.good(1)]
        let pieces = payload.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for index in pieces.indices {
            var fewer = pieces
            fewer.remove(at: index)
            tokens.append(try stage.forge.token(payload: fewer.joined(separator: ",")))
            fewer.insert(pieces[index].replacing("affirming", with: "none").replacing("3", with: "x"), at: index)
            tokens.append(try stage.forge.token(payload: fewer.joined(separator: ",")))
            fewer[index] = pieces[index].replacing(#":""#, with: #":1,"z":""#)
            tokens.append(try stage.forge.token(payload: fewer.joined(separator: ",")))
        }
        for token in tokens {
            let explanation = stage.verifier.explain(token, at: Stage.now)
            let refusal = stage.refusal(token)
            #expect(explanation.isAccepted == (refusal == nil))
            #expect(explanation.lacks.first?.code == refusal?.rawValue, "\(explanation)")
        }
    }
}
