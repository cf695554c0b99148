import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import StrictEncoding
import Testing

/// What the RFCs print and a relying party must not take for a passport, even where it holds the key.
@Suite("Tokens of the standards that are no passports")
struct StandardTokenTests {
    private static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    private static let es256Key =
        #"{"kty":"EC","crv":"P-256","alg":"ES256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
        + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#

    private func refusal(_ token: String, _ adjust: (inout Expectations) -> Void = { _ in }) throws -> Refusal.Code? {
        var expectations = Expectations(issuer: "joe", audience: Stage.audience)
        adjust(&expectations)
        let verifier = try PassportVerifier(
            keySet: Array(#"{"keys":[\#(Self.es256Key)]}"#.utf8), expectations: expectations)
        do throws(Refusal) {
            _ = try verifier.verify(Array(token.utf8), at: 1_300_819_000)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("RFC 7515 Appendix A.1: HS256; A.4: ES512; A.5: none")
    func otherAlgorithms() throws {
        let hmac =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + Self.payload + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let es512 =
            "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_"
            + "7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
        let none = "eyJhbGciOiJub25lIn0." + Self.payload + "."
        #expect(try refusal(hmac) == .type && refusal(es512) == .type && refusal(none) == .malformed)
        // With every leniency that there is, the algorithm is still the registered key's.
        #expect(
            try refusal(hmac) {
                $0.headerTypes = ["jwt"]
                $0.toleratedAbsences = Set(OmissibleClaim.allCases)
            } == .algorithm)
    }

    @Test("RFC 7515 Appendix A.3: a good ES256 signature under the registered key, without a passport's header")
    func es256() throws {
        let token =
            "eyJhbGciOiJFUzI1NiJ9." + Self.payload
            + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        #expect(try refusal(token) == .type)
        #expect(
            try refusal(token) {
                $0.headerTypes = ["jwt", "eat+jwt"]
                $0.toleratedAbsences = Set(OmissibleClaim.allCases)
            } == .type, "no typ is not an accepted typ")
    }

    @Test("A token chooses neither its key nor its algorithm")
    func chosen() throws {
        let stage = try Stage(), kid = stage.forge.signingKey.keyID
        for algorithm in ["none", "HS256", "RS256", "EdDSA", "Ed25519", "ES384", "es256", "ES256 ", ""] {
            #expect(
                try stage.refusal(header: #"{"alg":"\#(algorithm)","typ":"eat+jwt","kid":"\#(kid)"}"#) == .algorithm,
                "\(algorithm)")
        }
        #expect(try stage.refusal(header: #"{"alg":["ES256"],"typ":"eat+jwt","kid":"\#(kid)"}"#) == .algorithm)
        #expect(try stage.refusal(header: #"{"typ":"eat+jwt","kid":"\#(kid)"}"#) == .algorithm)
    }
}
