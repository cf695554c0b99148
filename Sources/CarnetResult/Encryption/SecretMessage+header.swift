internal import StrictEncoding

extension SecretMessage {
    /// The protected header of a message, read strictly: one algorithm, one cipher, no compression, no `crit`.
    struct Header {
        let ephemeralKey: JSONWebKey
        let producerInfo: [UInt8]
        let recipientInfo: [UInt8]

        init(segment: ArraySlice<UInt8>) throws(JOSEError) {
            guard let bytes = Base64URL.decode(segment) else { throw .invalidMessage("the header is not base64url") }
            let root: JSONNode
            do {
                root = try JSONDocument(parsing: bytes, maximumByteCount: 4096, maximumDepth: 3).root
            } catch {
                throw .invalidMessage("the header is not JSON: \(error)")
            }
            guard root["alg"]?.string == "ECDH-ES+A256KW" else { throw .invalidMessage("alg is not ECDH-ES+A256KW") }
            guard root["enc"]?.string == "A256GCM" else { throw .invalidMessage("enc is not A256GCM") }
            guard root["zip"] == nil else { throw .invalidMessage("compressed messages are not opened") }
            guard root["crit"] == nil else { throw .invalidMessage("crit names extensions that are not understood") }
            guard let epk = root["epk"] else { throw .invalidMessage("the header has no epk") }
            ephemeralKey = try JSONWebKey(epk)
            producerInfo = try Self.info("apu", in: root)
            recipientInfo = try Self.info("apv", in: root)
        }

        private static func info(_ name: String, in root: JSONNode) throws(JOSEError) -> [UInt8] {
            guard let node = root[name] else { return [] }
            guard let bytes = node.string.flatMap({ Base64URL.decode($0) }), bytes.count <= 512 else {
                throw .invalidMessage("\(name) is not base64url of at most 512 bytes")
            }
            return bytes
        }
    }
}
