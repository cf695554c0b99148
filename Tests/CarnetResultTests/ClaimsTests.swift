import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

@Suite("Claims")
struct ClaimsTests {
    /// draft-ietf-rats-ar4si §2.3.2.
    @Test("Every value of a trustworthiness claim falls into its band")
    func bands() {
        for value in Int8.min...Int8.max {
            let expected: TrustTier =
                switch value {
                case -1, 0, 1: .none
                case 2...31, -32 ... -2: .affirming
                case 32...95, -96 ... -33: .warning
                default: .contraindicated
                }
            #expect(TrustworthinessVector.tier(of: value) == expected, "\(value)")
        }
        #expect(TrustTier.allCases.sorted() == [.none, .contraindicated, .warning, .affirming])
    }

    @Test("A status is never better than the worst claim")
    func floor() {
        func status(_ wanted: TrustTier, _ values: [TrustworthinessVector.Claim: Int8]) -> TrustTier {
            var vector = TrustworthinessVector()
            for (claim, value) in values { vector[claim] = value }
            return SubmoduleAppraisal(
                status: wanted, vector: vector, policyIDs: [],
                verifierClaims: .init(depth: .pcrs, keyProtection: .tpm, banks: [])
            ).status
        }
        #expect(status(.affirming, [.hardware: 2]) == .affirming)
        #expect(status(.affirming, [.hardware: 2, .executables: 96]) == .contraindicated)
        #expect(status(.affirming, [.hardware: 32]) == .warning)
        #expect(status(.warning, [.hardware: 2]) == .warning)
        #expect(status(.affirming, [.hardware: 2, .configuration: 0]) == .affirming, "0 asserts nothing")
        #expect(status(.affirming, [.configuration: 0]) == .none)
        #expect(status(.contraindicated, [:]) == .contraindicated)
    }

    @Test("A vector keeps what is set, forgets what is unset, and tells it in the specification's order")
    func vector() {
        var vector = TrustworthinessVector()
        #expect(vector.isEmpty && vector.asserted.isEmpty && vector.worstTier == .none)
        for (key, claim) in TrustworthinessVector.Claim.allCases.reversed().enumerated() {
            vector[claim] = Int8(key) - 100
        }
        #expect(vector.asserted.map(\.claim) == TrustworthinessVector.Claim.allCases)
        #expect(vector[.instanceIdentity] == -93 && vector[.sourcedData] == -100)
        vector[.sourcedData] = nil
        #expect(vector[.sourcedData] == nil && vector.asserted.count == 7)
        vector[.sourcedData] = 0
        #expect(vector[.sourcedData] == 0, "0 is a statement, though an empty one")
        for claim in TrustworthinessVector.Claim.allCases { vector[claim] = nil }
        #expect(vector == TrustworthinessVector())
    }

    @Test("A life is between a second and an hour")
    func lifetime() throws {
        let forge = try TokenForge()
        #expect(try forge.result(issuedAt: 100).expiresAt == 400)
        #expect(try forge.result(issuedAt: 100, lifetime: 99_999).expiresAt == 3700)
        #expect(try forge.result(issuedAt: 100, lifetime: -5).expiresAt == 101)
    }

    @Test("Equal results give equal bytes, and the mandatory claims are there")
    func encoding() throws {
        let result = try TokenForge().result(issuedAt: 100)
        #expect(result.claimsSet == result.claimsSet)
        let root = try JSONDocument(parsing: result.claimsSet, maximumByteCount: 4096).root
        for name in [
            "iss", "sub", "aud", "iat", "nbf", "exp", "jti", "eat_profile", "eat_nonce", "ear_verifier_id",
            "ear_status", "cnf", "submods",
        ] {
            #expect(root[name] != nil, "\(name)")
        }
        #expect(root["submods"]?["tpm"]?["ear_trustworthiness_vector"]?["runtime-opaque"] == nil)
        #expect(root["eat_nonce"]?.string == Base64URL.encode([UInt8](repeating: 7, count: 32)))
    }

    /// RFC 7638 §3.1 defines the input; the value was computed with Debian's `jose jwk thp`.
    @Test("A thumbprint is that of the canonical members")
    func thumbprint() throws {
        // The key of RFC 7517 Appendix A.1.
        let text =
            #"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#
        let key = try JSONWebKey(JSONDocument(parsing: Array(text.utf8), maximumByteCount: 1000).root)
        #expect(key.thumbprint == "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s")
    }

    @Test("Signing keys are on P-256 only")
    func curves() throws {
        #expect(throws: JOSEError.self) { try SigningKey(PrivateKey.generate(.p384)) }
    }
}
