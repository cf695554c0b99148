internal import StrictEncoding

extension StatusListToken {
    /// Reads a claims set strictly. The list is inflated last, when everything else is as it must be.
    ///
    /// - Throws: ``StatusListError`` with the code `claims`, `compression` or `tooLarge`.
    init(claimsSet bytes: [UInt8]) throws(StatusListError) {
        let root: JSONNode
        do {
            root = try JSONDocument(
                parsing: bytes, maximumByteCount: UnverifiedStatusListToken.maximumByteCount, maximumDepth: 8,
                maximumValueCount: 256
            ).root
        } catch {
            throw StatusListError(.claims, "the claims are not JSON that can be read in one way: \(error)")
        }
        guard root.isObject else { throw StatusListError(.claims, "the claims are not an object") }
        guard let uri = root["sub"]?.string, StatusReference.isName(uri) else {
            throw StatusListError(.claims, "sub is not a list's name of 1 to 1024 visible characters of ASCII")
        }
        guard let issuedAt = try Self.seconds("iat", in: root) else { throw StatusListError(.claims, "iat is missing") }
        let expiresAt = try Self.seconds("exp", in: root), timeToLive = try Self.seconds("ttl", in: root)
        if let expiresAt, expiresAt <= issuedAt {
            throw StatusListError(.claims, "the list expires before it was issued")
        }
        if timeToLive == 0 { throw StatusListError(.claims, "ttl is not positive") }
        self.init(
            uri: uri, issuedAt: issuedAt, expiresAt: expiresAt, timeToLive: timeToLive,
            list: try Self.list(root["status_list"]))
    }

    private static func list(_ node: JSONNode?) throws(StatusListError) -> StatusList {
        guard let node, node.isObject else { throw StatusListError(.claims, "status_list is not an object") }
        guard let width = node["bits"]?.integer.flatMap({ Int(exactly: $0) }).flatMap(StatusList.Width.init) else {
            throw StatusListError(.claims, "bits is not 1, 2, 4 or 8")
        }
        guard let stream = node["lst"]?.withStringBytes({ Base64URL.decode($0) }) ?? nil else {
            throw StatusListError(.claims, "lst is not base64url in its one spelling")
        }
        let limit = StatusList.maximumCount / width.countPerByte
        return try StatusList(width: width, packed: ZLIBStream.decompress(stream, upTo: limit))
    }

    /// A whole number of seconds before the year 2286, so that no sum of two overflows; `nil` when the claim is missing.
    private static func seconds(_ name: String, in root: JSONNode) throws(StatusListError) -> Int64? {
        guard let node = root[name] else { return nil }
        guard let value = node.integer, (0..<10_000_000_000).contains(value) else {
            throw StatusListError(.claims, "\(name) is not a whole number of seconds")
        }
        return value
    }
}
