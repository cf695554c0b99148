internal import CarnetResult
internal import Cryptography
internal import StrictEncoding

/// One of an issuer's keys, imported once, with the header that the issuer's own tokens carry under it.
struct IssuerKey: Sendable {
    let kid: String
    let key: PublicKey
    /// The header segment as Carnet writes it: a token that carries exactly this needs no parsing of its header.
    let ownHeaderSegment: [UInt8]

    init(kid: String, key: PublicKey) {
        self.kid = kid
        self.key = key
        let header = JSONWriter.object { writer in
            writer.string("alg", "ES256")
            writer.string("typ", "eat+jwt")
            writer.string("kid", kid)
        }
        ownHeaderSegment = Array(Base64URL.encode(header).utf8)
    }
}

extension PassportVerifier {
    /// The registered key that a header names, if everything in the header is as it must be.
    func issuerKey(for segment: ArraySlice<UInt8>) throws(Refusal) -> PublicKey {
        for key in keys where key.ownHeaderSegment.count == segment.count && segment.elementsEqual(key.ownHeaderSegment)
        {
            return key.key
        }
        let kid = try Self.keyID(inHeader: segment, type: "eat+jwt")
        guard let key = keys.first(where: { kid.isString(equalTo: $0.kid) }) else {
            throw Refusal(
                .unknownKey, "No key of the issuer has the token's kid",
                nextStep: "Fetch the issuer's key set again over a trusted channel; it may have rotated")
        }
        return key.key
    }

    /// Reads a header strictly: `alg` ES256, the type, a `kid`, and nothing that could choose a key or demand an extension.
    private static func keyID(inHeader segment: ArraySlice<UInt8>, type: String) throws(Refusal) -> JSONNode {
        let next = "Present a passport as the verifier issued it"
        let root = try JOSEHeader.parse(segment, nextStep: next)
        for name in ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc"] where root[name] != nil
        {
            throw Refusal(.header, "The header has \(name), which a passport must not have", nextStep: next)
        }
        try JOSEHeader.requireType(type, root, .type, nextStep: next)
        guard root["alg"]?.isString(equalTo: "ES256") == true else {
            throw Refusal(.algorithm, "The header's alg is not ES256, the registered key's", nextStep: next)
        }
        guard let kid = root["kid"], kid.isString else {
            throw Refusal(.unknownKey, "The header has no kid", nextStep: next)
        }
        return kid
    }
}
