public import CarnetResult
internal import Cryptography
internal import StrictEncoding

/// Checks passports offline: from bytes, a key set and a clock, with no network and no waiting.
///
/// The checks run in one order, each before the next believes anything (RFC 8725 and its successor draft): size, characters,
/// shape, header, type, key, algorithm, signature; then issuer, audience, times, profile, submodules, tiers, policy, claims, nonce,
/// binding. The value may be used by many threads at once.
public struct PassportVerifier: Sendable {
    public let expectations: Expectations
    public let proofs: ProofExpectations
    /// The issuer's status lists; ``checking(_:)`` changes them.
    public internal(set) var statusLists = StatusLists.none
    /// What the relying party demands by itself, without a bundle's minimum policy.
    var ownExpectations: Expectations
    /// When the bundle counts that brought the keys; `nil` when none did.
    var validity: BundleValidity?
    /// When the keys stop counting, in seconds since 1970; `nil` when they never do.
    var keysUsableUntil: Int64?
    let keys: [IssuerKey]
    var replayCache: ReplayCache
    let results: ResultsCache?
    /// Whether `eat+jwt` is an accepted type, so that a header as Carnet writes it needs no reading.
    let acceptsOwnHeaders: Bool

    /// The longest token that is looked at, in bytes.
    public static let maximumTokenByteCount = 16_384

    /// A verifier for one issuer's keys.
    ///
    /// - Parameters:
    ///   - keySet: The bytes of the issuer's JWKS, got over a channel that the relying party trusts.
    ///   - remembering: How many accepted passports to remember, so that one that is seen again costs a hash and not a signature check;
    ///     0 remembers none. Memory is bounded by this number times the size of a passport.
    /// - Throws: ``CarnetResult/JOSEError`` when the key set cannot be used.
    public init(
        keySet: [UInt8], expectations: Expectations, proofs: ProofExpectations = ProofExpectations(),
        remembering resultCount: Int = 0
    ) throws(JOSEError) {
        try self.init(
            keySet: JSONWebKeySet(parsing: keySet), expectations: expectations, proofs: proofs,
            remembering: resultCount)
    }

    /// A verifier for one issuer's keys, read already.
    public init(
        keySet: JSONWebKeySet, expectations: Expectations, proofs: ProofExpectations = ProofExpectations(),
        remembering resultCount: Int = 0
    ) throws(JOSEError) {
        var keys: [IssuerKey] = []
        for (kid, key) in keySet.verificationKeys.sorted(by: { $0.key < $1.key }) {
            keys.append(try IssuerKey(kid: kid, key))
        }
        self.keys = keys
        self.expectations = expectations
        ownExpectations = expectations
        self.proofs = proofs
        // A proof that counts at t was made by t + window and counts until t + 2 * window.
        replayCache = ReplayCache(capacity: proofs.replayCacheCapacity, span: 2 * proofs.window + 1)
        results = resultCount > 0 ? ResultsCache(capacity: resultCount) : nil
        acceptsOwnHeaders = expectations.headerTypes.contains("eat+jwt")
    }

    /// Checks a passport.
    ///
    /// A passport that was accepted before and is remembered is not read again; what changes with time is checked at each use.
    ///
    /// - Parameters:
    ///   - token: The compact JWS, in ASCII.
    ///   - now: Seconds since 1970, by the relying party's own clock.
    public func verify(_ token: [UInt8], at now: Int64) throws(Refusal) -> VerifiedResult {
        try Self.checkSize(of: token)
        let now = Self.bounded(now)
        try checkKeys(at: now)
        let freshness = try bundleFreshness(at: now)
        let digest = results.map { _ in TokenDigest(of: token) }
        if let results, let digest, let known = results.result(of: digest) {
            var result = try checkAgain(known, at: now)
            result.bundle = freshness
            return result
        }
        let jws = try authenticated(token)
        var examination = Examination(keepsGoing: false)
        guard var result = try claims(of: jws, token).verified(expectations, statusLists, at: now, &examination) else {
            throw TokenClaims.unreadable("the checks did not come to an end")
        }
        result.bundle = freshness
        if let results, let digest { results.keep(result, of: digest) }
        return result
    }

    /// What may have changed since a verdict was reached: the time, and whether the passport stands. Proofs of possession are checked by
    /// ``prove(_:by:of:nonce:at:)``.
    private func checkAgain(_ result: VerifiedResult, at now: Int64) throws(Refusal) -> VerifiedResult {
        var examination = Examination(keepsGoing: false), result = result
        try result.times.check(expectations, at: now, &examination)
        result.revocation = try statusLists.check(again: result.revocation, expectations, at: now)
        return result
    }

    /// A clock's reading between 1970 and the year 36812, so that no sum or difference of times overflows.
    static func bounded(_ now: Int64) -> Int64 { min(max(now, 0), 1 << 40) }

    static func checkSize(of token: [UInt8]) throws(Refusal) {
        guard token.count <= maximumTokenByteCount else {
            throw Refusal(
                .tooLarge, "The token has \(token.count) bytes; at most \(maximumTokenByteCount) are read",
                nextStep: "Present a passport as the verifier issued it")
        }
    }

    /// A token whose signature is the issuer's.
    func authenticated(_ token: [UInt8]) throws(Refusal) -> CompactJWS {
        let jws = try Self.split(token)
        let key = try issuerKey(for: jws.headerSegment)
        guard jws.isSigned(by: key) else {
            throw Refusal(
                .signature, "The signature is not the issuer's over this token",
                nextStep: "Fetch the passport again; if that fails, check that the key set is this issuer's")
        }
        return jws
    }

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

    /// The claims of a token that was authenticated, read by ``StrictEncoding/IndexedJSON``.
    func claims(of jws: CompactJWS, _ token: [UInt8]) throws(Refusal) -> TokenClaims {
        let next = "Report this to the issuer: it signed claims that cannot be read"
        do {
            let text = try IndexedJSON(
                parsing: jws.payload, maximumByteCount: Self.maximumTokenByteCount, maximumDepth: 8)
            return TokenClaims(root: text.root, token: token)
        } catch {
            let code: Refusal.Code = error.code == .duplicateMember ? .duplicateMember : .claims
            throw Refusal(code, "The claims are not JSON that can be read in one way: \(error)", nextStep: next)
        }
    }
}
