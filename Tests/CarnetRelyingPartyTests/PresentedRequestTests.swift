import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Testing

@Suite("Passport and proof in an HTTP request")
struct PresentedRequestTests {
    private let stage: Stage, passport: String
    private let uri = "https://service.example/secrets/1?x=y"

    init() throws {
        stage = try Stage()
        passport = String(decoding: try stage.good(), as: UTF8.self)
    }

    private func proof(nonce: String? = nil, uri: String? = nil, at time: Int64 = Stage.now) throws -> String {
        String(
            decoding: try stage.forge.proof(
                for: ProvenRequest(method: "POST", uri: uri ?? self.uri), showing: Array(passport.utf8), nonce: nonce,
                issuedAt: time), as: UTF8.self)
    }

    private func refusal(
        _ authorization: [String], _ proofs: [String], nonces: ProofNonces? = nil, method: String = "POST",
        uri: String? = nil, at now: Int64 = Stage.now
    ) -> RequestRefusal? {
        let request = PresentedRequest(
            method: method, uri: uri ?? self.uri, authorization: authorization, proofs: proofs)
        do throws(RequestRefusal) {
            _ = try stage.verifier.prove(request, nonces: nonces, at: now)
            return nil
        } catch {
            return error
        }
    }

    private func field(_ name: String, _ refusal: RequestRefusal?) -> String? {
        refusal?.headerFields.first { $0.name == name }?.value
    }

    @Test("Scheme names have no case; a good request passes once")
    func good() throws {
        let proof = try proof()
        #expect(refusal(["DPoP " + passport], [proof]) == nil)
        #expect(refusal(["DPoP " + passport], [proof])?.refusal.code == .proofReplayed)
        #expect(try refusal(["dpop  " + passport], [self.proof()]) == nil)
    }

    @Test("Header fields that are missing, doubled or of another scheme are refused as RFC 9449 and RFC 6750 have it")
    func fields() throws {
        let good = "DPoP " + passport, proof = try proof()
        let bare = refusal([], [proof])
        #expect(bare?.status == 401 && field("WWW-Authenticate", bare) == #"DPoP algs="ES256""#)
        let doubled = refusal([good, good], [proof])
        #expect(doubled?.status == 400 && field("WWW-Authenticate", doubled)?.contains("invalid_request") == true)
        for scheme in ["Bearer " + passport, passport, "", "DPoP", "DPoP\t" + passport, " DPoP " + passport] {
            let other = refusal([scheme], [proof])
            #expect(other?.status == 401 && field("WWW-Authenticate", other)?.contains("invalid_token") == true)
        }
        for proofs in [[], [proof, proof], [proof + ", " + proof], [proof + "," + proof], [""]] {
            let other = refusal([good], proofs)
            #expect(other?.status == 401, "\(proofs.count)")
            #expect(field("WWW-Authenticate", other)?.hasPrefix(#"DPoP error="invalid_dpop_proof""#) == true)
        }
        #expect(refusal([good + ", " + good], [proof])?.status == 401)
        #expect(refusal([good], [proof]) == nil, "nothing of this took the proof's place")
    }

    @Test("Method, URI and time are those of this server; an expired passport is an invalid token")
    func request() throws {
        let good = ["DPoP " + passport]
        let cases = [
            refusal(good, [try proof()], method: "GET"),
            refusal(good, [try proof()], uri: "https://evil.example/secrets/1"),
            refusal(good, [try proof(at: Stage.now - 61)]),
        ]
        for refusal in cases {
            #expect(field("WWW-Authenticate", refusal)?.contains("invalid_dpop_proof") == true)
            #expect(field("DPoP-Nonce", refusal) == nil)
        }
        let late = refusal(good, [try proof(at: Stage.now + 400)], at: Stage.now + 400)
        #expect(late?.status == 401)
        #expect(
            field("WWW-Authenticate", late) == #"DPoP error="invalid_token", error_description="expired", algs="ES256""#
        )
    }

    @Test(
        "Without this server's nonce the answer is use_dpop_nonce with the one to use, and with it the next try passes")
    func nonces() throws {
        let nonces = ProofNonces(), good = ["DPoP " + passport]
        let first = refusal(good, [try proof()], nonces: nonces)
        #expect(first?.status == 401)
        #expect(field("WWW-Authenticate", first)?.hasPrefix(#"DPoP error="use_dpop_nonce""#) == true)
        let nonce = try #require(field("DPoP-Nonce", first))
        #expect(refusal(good, [try proof(nonce: nonce)], nonces: nonces) == nil)
        let foreign = refusal(good, [try proof(nonce: nonce)], nonces: ProofNonces())
        #expect(field("WWW-Authenticate", foreign)?.contains("use_dpop_nonce") == true)
    }

    @Test("A key with too many fresh proofs is told to wait")
    func limit() throws {
        var proofs = ProofExpectations()
        proofs.replayCacheCapacity = 1
        let verifier = try PassportVerifier(
            keySet: stage.forge.keySet, expectations: stage.verifier.expectations, proofs: proofs)
        func prove() throws {
            _ = try verifier.prove(
                PresentedRequest(
                    method: "POST", uri: uri, authorization: ["DPoP " + passport], proofs: [proof()]), at: Stage.now)
        }
        try prove()
        let refusal = #expect(throws: RequestRefusal.self) { try prove() }
        #expect(refusal?.status == 429 && field("Retry-After", refusal) == "120")
    }
}
