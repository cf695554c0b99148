import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding

/// What a relying party waits for: a passport seen for the first time and again, under each kind of issuer's key.
enum TokenComparisons {
    static let now: Int64 = 1_800_000_000

    static func all() throws -> [Comparison] {
        let forge = try TokenForge()
        let result = try forge.result(issuedAt: now)
        let token = try forge.signingKey.mint(result)
        let signed = try Array(CompactJWS(parsing: token).signingInput)
        let expectations = Expectations(issuer: result.issuer, audience: result.audience[0])
        let verifier = try PassportVerifier(keySet: forge.keySet, expectations: expectations)
        let remembering = try PassportVerifier(keySet: forge.keySet, expectations: expectations, remembering: 1024)
        let raw = try RawOpenSSL(forge.key, message: signed)
        let keySet = forge.keySet
        return try [
            Comparison(
                name: "verify a passport, warm key", bar: 1.15, baselineName: "EVP_DigestVerify, same bytes",
                baseline: { precondition(raw.verify()) },
                measured: { precondition((try? verifier.verify(token, at: now)) != nil) }),
            Comparison(
                name: "verify a passport, seen again", bar: 1, baselineName: "3.33 us: 300,000 a second",
                limit: 1_000_000.0 / 300_000,
                measured: { precondition((try? remembering.verify(token, at: now)) != nil) }),
            Comparison(
                name: "verify a passport, cold key", bar: 3, baselineName: "EVP_DigestVerify, same bytes",
                baseline: { precondition(raw.verify()) },
                measured: {
                    let cold = try? PassportVerifier(keySet: keySet, expectations: expectations)
                    precondition((try? cold?.verify(token, at: now)) != nil)
                }),
            Comparison(
                name: "mint a passport", bar: 1.5, baselineName: "EVP_DigestSign, same bytes",
                baseline: { precondition(raw.sign()) },
                measured: { precondition((try? forge.signingKey.mint(result)) != nil) }),
            otherAlgorithm("RS256", .rsa2048, payload: result.claimsSet, expectations),
            otherAlgorithm("EdDSA", .ed25519, payload: result.claimsSet, expectations),
        ]
    }

    /// The same claims under another issuer's key.
    private static func otherAlgorithm(
        _ name: String, _ kind: RawOpenSSL.Kind, payload: [UInt8], _ expectations: Expectations
    ) throws -> Comparison {
        let raw = try RawOpenSSL(kind)
        let header = #"{"alg":"\#(name)","typ":"eat+jwt","kid":"other"}"#
        let input = Array((Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(payload)).utf8)
        let token = input + [UInt8(ascii: ".")] + Array(Base64URL.encode(try raw.sign(input)).utf8)
        let keySet = JSONWebKeySet(verificationKeys: ["other": try raw.verificationKey()])
        let verifier = try PassportVerifier(keySet: keySet, expectations: expectations)
        return Comparison(
            name: "verify a passport, \(name)", bar: kind == .rsa2048 ? 1.6 : 1.2,
            baselineName: "EVP_DigestVerify, same bytes", baseline: { precondition(raw.verify()) },
            measured: { precondition((try? verifier.verify(token, at: now)) != nil) })
    }

    /// How many blocks one verification asks of the allocator (``AllocationCounter``).
    static func allocations() throws -> [(name: String, count: Int, bar: Int?)] {
        let forge = try TokenForge(), result = try forge.result(issuedAt: now)
        let token = try forge.signingKey.mint(result)
        let expectations = Expectations(issuer: result.issuer, audience: result.audience[0])
        let verifier = try PassportVerifier(keySet: forge.keySet, expectations: expectations)
        let remembering = try PassportVerifier(keySet: forge.keySet, expectations: expectations, remembering: 1024)
        let raw = try RawOpenSSL(forge.key, message: Array(CompactJWS(parsing: token).signingInput))
        return [
            ("EVP_DigestVerify alone", AllocationCounter.count { precondition(raw.verify()) }, nil),
            (
                "verify a passport, first sight",
                AllocationCounter.count { precondition((try? verifier.verify(token, at: now)) != nil) }, 75
            ),
            (
                "verify a passport, seen again",
                AllocationCounter.count { precondition((try? remembering.verify(token, at: now)) != nil) }, 6
            ),
        ]
    }
}
