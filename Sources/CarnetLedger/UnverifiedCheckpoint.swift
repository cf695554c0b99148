public import CarnetResult
internal import Cryptography
internal import StrictEncoding

/// A checkpoint that was read; its signature was not looked at.
public struct UnverifiedCheckpoint: Sendable {
    /// What it says.
    public let unverifiedContent: LedgerCheckpoint
    /// The thumbprint of the key that it says signed it.
    public let keyID: String
    /// The token as it was read.
    public let token: [UInt8]
    private let jws: CompactJWS

    /// Reads a compact JWS whose header has `alg` ES256, `typ` and `kid`, and no other member; `nil` for anything else.
    public init?(parsing token: [UInt8]) {
        guard token.count <= LedgerCheckpoint.maximumByteCount, let jws = try? CompactJWS(parsing: token),
            let header = Base64URL.decode(jws.headerSegment),
            let root = try? JSONDocument(parsing: header, maximumByteCount: 1024, maximumDepth: 2).root,
            root["typ"]?.isString(equalTo: LedgerCheckpoint.type) == true,
            root["alg"]?.isString(equalTo: "ES256") == true, root.count == 3, let keyID = root["kid"]?.string,
            let content = LedgerCheckpoint(payload: jws.payload)
        else { return nil }
        unverifiedContent = content
        self.keyID = keyID
        self.token = token
        self.jws = jws
    }

    /// What became of a look at the signature.
    public enum Signature: Sendable, Hashable { case valid, invalid, unknownKey }

    /// Checks the signature with the key that the header names.
    public func signature(under keys: JSONWebKeySet) -> Signature {
        guard let key = keys.keys[keyID] else { return .unknownKey }
        guard let publicKey = try? key.publicKey() else { return .invalid }
        return jws.isSigned(by: publicKey) ? .valid : .invalid
    }
}

extension SigningKey {
    /// Signs a checkpoint.
    public func sign(_ checkpoint: LedgerCheckpoint) throws(JOSEError) -> [UInt8] {
        let header = JSONWriter.object { writer in
            writer.string("alg", "ES256")
            writer.string("typ", LedgerCheckpoint.type)
            writer.string("kid", keyID)
        }
        var token: [UInt8] = []
        Base64URL.append(header, to: &token)
        token.append(UInt8(ascii: "."))
        Base64URL.append(checkpoint.payload, to: &token)
        do {
            let signature = try key.ecdsaSignature(over: token, .sha256)
            token.append(UInt8(ascii: "."))
            Base64URL.append(signature, to: &token)
        } catch {
            throw .operationFailed("the checkpoint could not be signed: \(error)")
        }
        return token
    }
}
