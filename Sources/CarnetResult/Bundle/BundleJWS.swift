internal import Cryptography
internal import StrictEncoding

/// What a bundle and the links of its chain have in common: a compact JWS under ES256 with a type of its own, its `kid` a thumbprint.
struct BundleJWS {
    /// RFC 7638 thumbprint of the key that signed, as the header says.
    let keyID: String
    let jws: CompactJWS

    /// Takes a token apart and reads its header strictly: `alg`, `typ` and `kid`, and no other member.
    init(parsing token: [UInt8], type: String, maximumByteCount: Int) throws(BundleError) {
        guard token.count <= maximumByteCount else {
            throw BundleError(.tooLarge, "a \(type) of \(token.count) bytes; at most \(maximumByteCount) are read")
        }
        do {
            jws = try CompactJWS(parsing: token)
        } catch {
            throw BundleError(.malformed, "this is no compact JWS: \(error)")
        }
        guard let bytes = Base64URL.decode(jws.headerSegment) else {
            throw BundleError(.malformed, "the header is not base64url in its one spelling")
        }
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: bytes, maximumByteCount: 1024, maximumDepth: 2).root
        } catch {
            throw BundleError(.header, "the header is not JSON that can be read in one way: \(error)")
        }
        guard root["typ"]?.isString(equalTo: type) == true else {
            throw BundleError(.header, "the header's typ is not \(type)")
        }
        guard root["alg"]?.isString(equalTo: "ES256") == true else {
            throw BundleError(.header, "the header's alg is not ES256")
        }
        guard let kid = root["kid"]?.string, BundleTrust.isThumbprint(kid) else {
            throw BundleError(.header, "the header's kid is not a thumbprint")
        }
        guard root.count == 3 else { throw BundleError(.header, "the header has more than alg, typ and kid") }
        keyID = kid
    }

    /// Checks that the signature is by `key`, which must be the one that the header names.
    func check(signedBy key: JSONWebKey) throws(BundleError) {
        guard key.thumbprint == keyID else {
            throw BundleError(.untrustedSigner, "the header names another key than the one that may sign")
        }
        guard let publicKey = try? key.publicKey(), jws.isSigned(by: publicKey) else {
            throw BundleError(
                .signature,
                "the signature does not fit: the content was changed after it was signed, or another key than \(keyID) signed it"
            )
        }
    }

    /// A signed token, in ASCII.
    static func sign(_ payload: [UInt8], type: String, by key: SigningKey) throws(BundleError) -> [UInt8] {
        let header = JSONWriter.object { writer in
            writer.string("alg", "ES256")
            writer.string("typ", type)
            writer.string("kid", key.keyID)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count * 4 / 3 + 256)
        Base64URL.append(header, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Base64URL.append(payload, to: &bytes)
        do {
            let signature = try key.key.ecdsaSignature(over: bytes, .sha256)
            bytes.append(UInt8(ascii: "."))
            Base64URL.append(signature, to: &bytes)
        } catch {
            throw BundleError(.operationFailed, "the bundle could not be signed: \(error)")
        }
        return bytes
    }
}
