public import CarnetResult
internal import Cryptography
internal import StrictEncoding

/// Checks passports offline: from bytes, a key set and a clock, with no network and no waiting.
///
/// The checks run in one order, each before the next believes anything (RFC 8725 and its successor draft): size, characters,
/// shape, header, type, algorithm, key, signature; then issuer, audience, times, profile, submodules, tiers, policy, nonce, binding.
/// The value may be used by many threads at once.
public struct PassportVerifier: Sendable {
    public let expectations: Expectations
    public let proofs: ProofExpectations
    /// The issuer's status lists; ``checking(_:)`` changes them.
    public internal(set) var statusLists = StatusLists.none
    let keys: [IssuerKey]
    let replayCache: ReplayCache

    /// The longest token that is looked at, in bytes.
    public static let maximumTokenByteCount = 16_384

    /// A verifier for one issuer's keys.
    ///
    /// - Parameter keySet: The bytes of the issuer's JWKS, got over a channel that the relying party trusts.
    /// - Throws: ``CarnetResult/JOSEError`` when the key set cannot be used.
    public init(
        keySet: [UInt8], expectations: Expectations, proofs: ProofExpectations = ProofExpectations()
    ) throws(JOSEError) {
        try self.init(keySet: JSONWebKeySet(parsing: keySet), expectations: expectations, proofs: proofs)
    }

    /// A verifier for one issuer's keys, read already.
    public init(
        keySet: JSONWebKeySet, expectations: Expectations, proofs: ProofExpectations = ProofExpectations()
    ) throws(JOSEError) {
        var keys: [IssuerKey] = []
        for (kid, key) in keySet.keys.sorted(by: { $0.key < $1.key }) {
            keys.append(IssuerKey(kid: kid, key: try key.publicKey()))
        }
        self.keys = keys
        self.expectations = expectations
        self.proofs = proofs
        replayCache = ReplayCache(capacity: proofs.replayCacheCapacity)
    }

    /// Checks a passport.
    ///
    /// - Parameters:
    ///   - token: The compact JWS, in ASCII.
    ///   - now: Seconds since 1970, by the relying party's own clock.
    public func verify(_ token: [UInt8], at now: Int64) throws(Refusal) -> VerifiedResult {
        guard token.count <= Self.maximumTokenByteCount else {
            throw Refusal(
                .tooLarge, "The token has \(token.count) bytes; at most \(Self.maximumTokenByteCount) are read",
                nextStep: "Present a passport as the verifier issued it")
        }
        let jws = try Self.split(token)
        let key = try issuerKey(for: jws.headerSegment)
        guard jws.isSigned(by: key) else {
            throw Refusal(
                .signature, "The signature is not the issuer's over this token",
                nextStep: "Fetch the passport again; if that fails, check that the key set is this issuer's")
        }
        return try claims(of: jws, token).verified(expectations, statusLists, at: Self.bounded(now))
    }

    /// A clock's reading between 1970 and the year 36812, so that no sum or difference of times overflows.
    static func bounded(_ now: Int64) -> Int64 { min(max(now, 0), 1 << 40) }

    private static func split(_ token: [UInt8]) throws(Refusal) -> CompactJWS {
        do {
            return try CompactJWS(parsing: token)
        } catch {
            let next = "Present a passport in compact form, header.payload.signature"
            switch error {
            case .illegalCharacter:
                throw Refusal(.malformed, "The token has a character that no compact JWS has", nextStep: next)
            case .encrypted:
                throw Refusal(.encrypted, "The token has five parts: it is encrypted, not signed", nextStep: next)
            case .segments(let count):
                throw Refusal(.malformed, "The token has \(count) usable parts, not three", nextStep: next)
            case .encoding:
                throw Refusal(
                    .malformed, "The payload or the signature is not base64url in its one spelling", nextStep: next)
            }
        }
    }

    private func claims(of jws: CompactJWS, _ token: [UInt8]) throws(Refusal) -> TokenClaims {
        let next = "Report this to the issuer: it signed claims that cannot be read"
        do {
            let document = try JSONDocument(
                parsing: jws.payload, maximumByteCount: Self.maximumTokenByteCount, maximumDepth: 8)
            return TokenClaims(root: document.root, token: token)
        } catch {
            let code: Refusal.Code = error.code == .duplicateMember ? .duplicateMember : .claims
            throw Refusal(code, "The claims are not JSON that can be read in one way: \(error)", nextStep: next)
        }
    }
}
