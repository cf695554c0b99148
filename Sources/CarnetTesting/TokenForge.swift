public import CarnetResult
public import Cryptography
internal import StrictEncoding

/// Makes passports of every wrongness: a relying party's tests show that it refuses them.
///
/// A forge holds a key of its own. Put its ``keySet`` where the issuer's belongs, and its tokens verify as far as they are well made.
public struct TokenForge: Sendable {
    public let key: PrivateKey
    public let signingKey: SigningKey
    /// The machine's bound signing key and encryption key, in software.
    public let holderKey: PrivateKey
    public let encryptionKey: PrivateKey

    /// A forge with fresh keys.
    public init() throws {
        key = try PrivateKey.generate()
        signingKey = try SigningKey(key)
        holderKey = try PrivateKey.generate()
        encryptionKey = try PrivateKey.generate()
    }

    /// The issuer's key set, as it would publish it.
    public var keySet: [UInt8] { JSONWebKeySet([signingKey.keyID: signingKey.publicKey]).bytes }

    /// The header of a good token.
    public var header: String { #"{"alg":"ES256","typ":"eat+jwt","kid":"\#(signingKey.keyID)"}"# }

    /// A good result: affirming, bound to the holder's key, five minutes long.
    public func result(
        issuer: String = "https://verifier.example", audience: [String] = ["https://service.example"], issuedAt: Int64,
        lifetime: Int64 = 300, status: TrustTier = .affirming, protection: KeyProtection = .tpm,
        nonce: [UInt8] = [UInt8](repeating: 7, count: 32), statusReference: StatusReference? = nil,
        subject: String = "urn:carnet:node:11111111-2222-3333-4444-555555555555", nodeLabels: [String: String] = [:]
    ) throws -> AttestationResult {
        var vector = TrustworthinessVector()
        vector[.instanceIdentity] = 2
        vector[.executables] = status == .affirming ? 3 : 96
        vector[.hardware] = 2
        let bound = BoundEncryptionKey(key: try JSONWebKey(encryptionKey.publicKey), protection: protection)
        return AttestationResult(
            issuer: issuer, subject: subject, audience: audience,
            issuedAt: issuedAt, lifetime: lifetime, tokenID: Base64URL.encode(SecureRandom.bytes(16)), nonce: nonce,
            verifierID: .init(developer: "https://carnet.example", build: "forge"),
            keyThumbprint: try JSONWebKey(holderKey.publicKey).thumbprint,
            appraisal: SubmoduleAppraisal(
                status: status, vector: vector, policyIDs: ["tag:carnet.dev,2026:policy/demo@sha256:00"],
                evidenceNonce: nonce,
                attesterClaims: .init(secureBoot: true, resetCount: 3, tpmFirmware: "0000000000000001"),
                verifierClaims: .init(
                    depth: .eventLog, keyProtection: protection, encryptionKey: bound, banks: ["sha256"],
                    nodeLabels: nodeLabels)),
            statusReference: statusReference)
    }

    /// The header of a good status list.
    public var statusListHeader: String { #"{"alg":"ES256","typ":"statuslist+jwt","kid":"\#(signingKey.keyID)"}"# }

    /// A signed status list in which some indices have a status and all others are valid.
    public func statusList(
        _ uri: String, issuedAt: Int64, expiresAt: Int64? = nil, timeToLive: Int64? = 60,
        width: StatusList.Width = .two,
        count: Int = 1024, _ statuses: [Int: TokenStatus] = [:]
    ) throws -> [UInt8] {
        var list = try StatusList(width: width, count: count)
        for (index, status) in statuses { list.set(status, at: index) }
        return try signingKey.sign(
            StatusListToken(
                uri: uri, issuedAt: issuedAt, expiresAt: expiresAt, timeToLive: timeToLive, list: list))
    }

    /// A signed token of any header and payload text.
    public func token(header: String, payload: String) throws -> [UInt8] {
        try token(header: header, payload: payload) { try key.ecdsaSignature(over: $0, .sha256) }
    }

    /// A token of any header and payload text with any signature, which `sign` makes from the signing input.
    public func token(
        header: String, payload: String, sign: (_ input: [UInt8]) throws -> [UInt8]
    ) rethrows -> [UInt8] {
        let input = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
        return Array((input + "." + Base64URL.encode(try sign(Array(input.utf8)))).utf8)
    }

    /// A signed token with a good header and this payload text.
    public func token(payload: String) throws -> [UInt8] { try token(header: header, payload: payload) }

    /// A proof of possession by the holder's key, or by another.
    public func proof(
        for request: ProvenRequest, showing passport: [UInt8], by other: PrivateKey? = nil, nonce: String? = nil,
        issuedAt: Int64
    ) throws -> [UInt8] {
        let signer = other ?? holderKey
        return try PossessionProof(
            for: request, showing: passport, key: JSONWebKey(signer.publicKey), nonce: nonce, issuedAt: issuedAt
        ) { try signer.ecdsaSignature(ofDigest: $0) }.token
    }
}
