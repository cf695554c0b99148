internal import Cryptography
internal import StrictEncoding

/// A status list with its name and its times: what a Status List Token says (draft-ietf-oauth-status-list-21 §5.1).
///
/// One that was read was signed by the issuer: ``UnverifiedStatusListToken/verified(by:)`` makes it.
public struct StatusListToken: Sendable, Hashable {
    /// The header's type, which no passport and no proof has.
    public static let type = "statuslist+jwt"
    /// The media type of the token.
    public static let mediaType = "application/statuslist+jwt"

    /// The list's name: `sub`, and `uri` in the tokens that refer to it.
    public let uri: String
    /// Seconds since 1970. The list says what was so then.
    public let issuedAt: Int64
    /// Seconds since 1970; afterwards the list says nothing. `nil` when it does not end.
    public let expiresAt: Int64?
    /// After how many seconds a newer one should be fetched; `nil` when the issuer does not say.
    public let timeToLive: Int64?
    /// The statuses.
    public let list: StatusList

    /// A list to be signed.
    public init(uri: String, issuedAt: Int64, expiresAt: Int64?, timeToLive: Int64?, list: StatusList) {
        self.uri = uri
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.timeToLive = timeToLive
        self.list = list
    }

    /// The claims set as JSON, its members always in the same order.
    func claimsSet() throws(StatusListError) -> [UInt8] {
        let compressed = try ZLIBStream.compress(list.bytes)
        var writer = JSONWriter(reserving: compressed.count * 4 / 3 + 256)
        writer.object { writer in
            writer.string("sub", uri)
            writer.integer("iat", issuedAt)
            if let expiresAt { writer.integer("exp", expiresAt) }
            if let timeToLive { writer.integer("ttl", timeToLive) }
            writer.object("status_list") { writer in
                writer.integer("bits", Int64(list.width.rawValue))
                writer.base64URL("lst", compressed)
            }
        }
        return writer.bytes
    }
}

extension SigningKey {
    /// The signed token of a status list, in ASCII.
    public func sign(_ token: StatusListToken) throws(StatusListError) -> [UInt8] {
        let header = JSONWriter.object { writer in
            writer.string("alg", "ES256")
            writer.string("typ", StatusListToken.type)
            writer.string("kid", keyID)
        }
        var bytes: [UInt8] = []
        Base64URL.append(header, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Base64URL.append(try token.claimsSet(), to: &bytes)
        do {
            let signature = try key.ecdsaSignature(over: bytes, .sha256)
            bytes.append(UInt8(ascii: "."))
            Base64URL.append(signature, to: &bytes)
        } catch {
            throw StatusListError(.operationFailed, "the list could not be signed: \(error)")
        }
        return bytes
    }
}
