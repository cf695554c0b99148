internal import StrictEncoding

/// A Status List Token whose header was read and whose signature was not checked.
public struct UnverifiedStatusListToken: Sendable {
    /// Which of the issuer's keys signed it, as it says.
    public let keyID: String
    private let jws: CompactJWS

    /// The longest token that is looked at, in bytes: 10 million one-bit entries of the worst kind take 2.3 MB.
    public static let maximumByteCount = 8 << 20

    /// Takes a compact JWS apart and reads its header strictly: `alg` ES256, `typ` `statuslist+jwt`, a `kid`, and nothing that could
    /// choose a key or demand an extension.
    ///
    /// - Throws: ``StatusListError`` with the code `tooLarge`, `malformed` or `header`.
    public init(parsing token: [UInt8]) throws(StatusListError) {
        guard token.count <= Self.maximumByteCount else {
            throw StatusListError(
                .tooLarge, "the token has \(token.count) bytes; at most \(Self.maximumByteCount) are read")
        }
        do {
            jws = try CompactJWS(parsing: token)
        } catch {
            throw StatusListError(.malformed, "this is no compact JWS: \(error)")
        }
        keyID = try Self.keyID(inHeader: jws.headerSegment)
    }

    private static func keyID(inHeader segment: ArraySlice<UInt8>) throws(StatusListError) -> String {
        guard let bytes = Base64URL.decode(segment) else {
            throw StatusListError(.malformed, "the header is not base64url in its one spelling")
        }
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: bytes, maximumByteCount: 4096, maximumDepth: 4).root
        } catch {
            throw StatusListError(.header, "the header is not JSON that can be read in one way: \(error)")
        }
        for name in ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc"] where root[name] != nil
        {
            throw StatusListError(.header, "the header has \(name), which a status list's must not have")
        }
        let type = root["typ"]?.string?.lowercased()
        guard type == StatusListToken.type || type == StatusListToken.mediaType else {
            throw StatusListError(.header, "the header's typ is not \(StatusListToken.type)")
        }
        guard root["alg"]?.isString(equalTo: "ES256") == true else {
            throw StatusListError(.header, "the header's alg is not ES256, the registered key's")
        }
        guard let kid = root["kid"]?.string, !kid.isEmpty else {
            throw StatusListError(.header, "the header has no kid")
        }
        return kid
    }

    /// The list, once the signature is found to be by the key that the issuer's set has under the token's `kid`.
    ///
    /// Nothing is inflated before. Which issuer's keys to give is the caller's to know: a list does not name its issuer, and the name of
    /// the list is for whoever looks one up to compare.
    public func verified(by keySet: JSONWebKeySet) throws(StatusListError) -> StatusListToken {
        // Swift finds "e\u{301}" under "é"; the issuer's own spelling is the one that counts.
        guard let (kid, key) = keySet.keys.first(where: { $0.key == keyID }), kid.utf8.elementsEqual(keyID.utf8) else {
            throw StatusListError(.unknownKey, "no key of the issuer has the list's kid")
        }
        do {
            guard jws.isSigned(by: try key.publicKey()) else {
                throw StatusListError(.signature, "the signature is not the issuer's over this list")
            }
        } catch let error as StatusListError {
            throw error
        } catch {
            throw StatusListError(.unknownKey, "the issuer's key cannot be used: \(error)")
        }
        return try unverifiedContent()
    }

    /// What the token says, whoever wrote it: to look at, never to decide by.
    public func unverifiedContent() throws(StatusListError) -> StatusListToken {
        try StatusListToken(claimsSet: jws.payload)
    }
}
