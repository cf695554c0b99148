internal import CarnetResult
internal import StrictEncoding

/// One of an issuer's keys, imported once, with the header that the issuer's own tokens carry under it.
struct IssuerKey: Sendable {
    let kid: String
    /// What a token's `alg` must be: the key's, which the issuer registered.
    let algorithm: String
    let key: ImportedVerificationKey
    /// The header segment as Carnet writes it: a token that carries exactly this needs no parsing of its header.
    let ownHeaderSegment: [UInt8]

    init(kid: String, _ registered: VerificationKey) throws(JOSEError) {
        self.kid = kid
        algorithm = registered.algorithm
        key = try registered.imported()
        let header = JSONWriter.object { writer in
            writer.string("alg", registered.algorithm)
            writer.string("typ", "eat+jwt")
            writer.string("kid", kid)
        }
        ownHeaderSegment = Array(Base64URL.encode(header).utf8)
    }
}

extension PassportVerifier {
    /// The registered key that a header names, if everything in the header is as it must be.
    func issuerKey(for segment: ArraySlice<UInt8>) throws(Refusal) -> ImportedVerificationKey {
        if acceptsOwnHeaders {
            for key in keys
            where key.ownHeaderSegment.count == segment.count && segment.elementsEqual(key.ownHeaderSegment) {
                return key.key
            }
        }
        let next = "Present a passport as the verifier issued it"
        let header = try JOSEHeader.parse(segment, nextStep: next)
        for name in ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc"]
        where header[name] != nil {
            throw Refusal(.header, "The header has \(name), which a passport must not have", nextStep: next)
        }
        try JOSEHeader.requireType(expectations.headerTypes, header, .type, nextStep: next)
        let found = try key(named: header["kid"], nextStep: next)
        guard header["alg"]?.isString(equalTo: found.algorithm) == true else {
            throw Refusal(
                .algorithm, "The header's alg is not \(found.algorithm), the registered key's", nextStep: next)
        }
        return found.key
    }

    private func key(named kid: JSONNode?, nextStep: String) throws(Refusal) -> IssuerKey {
        if kid == nil, expectations.toleratedAbsences.contains(.keyID), keys.count == 1, let only = keys.first {
            return only
        }
        guard let kid, kid.isString else {
            throw Refusal(.unknownKey, "The header has no kid", nextStep: nextStep)
        }
        guard let key = keys.first(where: { kid.isString(equalTo: $0.kid) }) else {
            throw Refusal(
                .unknownKey, "No key of the issuer has the token's kid",
                nextStep: "Fetch the issuer's key set again over a trusted channel; it may have rotated")
        }
        return key
    }
}
