import CarnetResult
import Cryptography
import StrictEncoding
import Testing

/// RSA and Ed25519 as the RFCs print them: keys with which issuers sign, and not Carnet.
@Suite("Vectors of the standards, other algorithms")
struct OtherAlgorithmVectorTests {
    private func key(_ members: String) throws -> VerificationKey? {
        try VerificationKey(JSONDocument(parsing: Array("{\(members)}".utf8), maximumByteCount: 4096).root)
    }

    private func rsa(_ modulus: String, algorithm: String = "RS256") throws -> VerificationKey? {
        try key(#""kty":"RSA","e":"AQAB","alg":"\#(algorithm)","n":"\#(modulus)""#)
    }

    /// Whether a token verifies as printed, and with no bit of its signature or its payload changed.
    private func check(_ token: String, _ key: VerificationKey) throws {
        let imported = try key.imported()
        #expect(try CompactJWS(parsing: Array(token.utf8)).isSigned(by: imported))
        let parts = token.split(separator: ".").map(String.init)
        let signature = try #require(Base64URL.decode(parts[2]))
        for bit in stride(from: 0, to: signature.count * 8, by: 31) {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let text = parts[0] + "." + parts[1] + "." + Base64URL.encode(changed)
            #expect(try !CompactJWS(parsing: Array(text.utf8)).isSigned(by: imported), "bit \(bit)")
        }
        for other in [signature.dropLast(), signature + [0], [0] + signature, []] {
            let text = parts[0] + "." + parts[1] + "." + Base64URL.encode(Array(other))
            #expect((try? CompactJWS(parsing: Array(text.utf8)).isSigned(by: imported)) != true)
        }
        let payload = parts[0] + "." + Base64URL.encode([1, 2, 3]) + "." + parts[2]
        #expect(try !CompactJWS(parsing: Array(payload.utf8)).isSigned(by: imported))
    }

    @Test("RFC 7515 Appendix A.2: RS256")
    func rs256() throws {
        let modulus =
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR"
            + "T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB"
            + "dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia"
            + "GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
        let token =
            "eyJhbGciOiJSUzI1NiJ9."
            + "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            + "."
            + "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9"
            + "uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB"
            + "_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq"
            + "Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        try check(token, #require(try rsa(modulus)))
    }

    @Test("RFC 7520 §4.1: RS256 with a kid")
    func cookbook() throws {
        let modulus =
            "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRB"
            + "SFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD"
            + "1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_"
            + "qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"
        let token =
            "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
            + "."
            + "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUg"
            + "cm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0"
            + "IGJlIHN3ZXB0IG9mZiB0by4"
            + "."
            + "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi8"
            + "4wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocS"
            + "adnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJu"
            + "shZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"
        try check(token, #require(try rsa(modulus)))
    }

    @Test("RFC 8037 Appendix A.2 to A.4: the key's thumbprint and the Ed25519 example")
    func ed25519() throws {
        let point = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        let token =
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
            + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        for algorithm in ["EdDSA", "Ed25519"] {
            let key = try #require(try key(#""kty":"OKP","crv":"Ed25519","alg":"\#(algorithm)","x":"\#(point)""#))
            #expect(key.algorithm == algorithm && key.thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
            try check(token, key)
        }
    }

    private let webKeyModulus =
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
        + "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
        + "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
        + "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

    @Test("RFC 7638 §3.1: the thumbprint of the RSA key of RFC 7517 Appendix A.1")
    func thumbprint() throws {
        #expect(try rsa(webKeyModulus)?.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    }

    @Test("RFC 7517 Appendix A.1: of its set only the RSA key is for signatures; A.2 is private and spoils a set")
    func keySet() throws {
        let ec =
            #"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","#
            + #""y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#
        let rsa = #"{"kty":"RSA","n":"\#(webKeyModulus)","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#
        let set = try JSONWebKeySet(parsing: Array(#"{"keys":[\#(ec),\#(rsa)]}"#.utf8))
        #expect(set.verificationKeys.keys.sorted() == ["2011-04-29"] && set.keys.isEmpty && set.ignored.count == 1)
        #expect(try JSONWebKeySet(parsing: set.bytes).verificationKeys == set.verificationKeys)
        let secret = ec.replacing("}", with: #","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}"#)
        #expect(throws: JOSEError.self) { try JSONWebKeySet(parsing: Array(#"{"keys":[\#(secret),\#(rsa)]}"#.utf8)) }
    }

    @Test("A key is for the algorithm that it registers, and its numbers have one spelling")
    func spoilt() throws {
        #expect(try rsa(webKeyModulus, algorithm: "PS256") == nil && rsa(webKeyModulus, algorithm: "RS384") == nil)
        #expect(try rsa(webKeyModulus, algorithm: "ES256") == nil && rsa(webKeyModulus, algorithm: "rs256") == nil)
        #expect(try key(#""kty":"RSA","n":"\#(webKeyModulus)","e":"AQAB""#) == nil, "no alg")
        let point = Base64URL.encode([UInt8](repeating: 1, count: 31))
        #expect(throws: JOSEError.self) { try key(#""kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"\#(point)""#) }
        #expect(try key(#""kty":"OKP","crv":"Ed448","alg":"EdDSA","x":"\#(point)""#) == nil)
        #expect(try key(#""kty":"OKP","crv":"X25519","alg":"EdDSA","x":"\#(point)""#) == nil)
        let modulus = try #require(Base64URL.decode(webKeyModulus))
        for wrong in [
            [0] + modulus, Array(modulus.dropLast()), Array(modulus.dropLast()) + [modulus[255] ^ 1], [],
            [UInt8](repeating: 0xFF, count: 1025),
        ] {
            #expect(throws: JOSEError.self) { try rsa(Base64URL.encode(wrong)) }
        }
        for exponent in ["AQ", "Ag", "AAEAAQ", "", "AQABAQAB"] {
            #expect(throws: JOSEError.self, "\(exponent)") {
                try key(#""kty":"RSA","alg":"RS256","e":"\#(exponent)","n":"\#(webKeyModulus)""#)
            }
        }
        // 2041 bits in 256 bytes: the highest bits count, not the bytes.
        #expect(throws: JOSEError.self) { try rsa(Base64URL.encode([1] + modulus.dropFirst())) }
    }
}
