internal import StrictEncoding

/// One link of a bundle's chain: which keys may sign what comes after the bundle of this number.
///
/// A link is a small JWS by the key that signed the bundle of the same number. It is kept when the bundle itself is long gone, so that a
/// machine that missed some bundles can still follow the keys.
public struct BundleLink: Sendable, Hashable {
    /// The header's type, which no bundle, passport, proof and list has.
    public static let type = "carnet-bundle-link+jwt"
    /// The longest link, in bytes.
    public static let maximumByteCount = 8192
    /// The most keys that may sign the next bundle.
    public static let maximumSignerCount = 8
    /// The largest sequence number.
    public static let maximumSequence: Int64 = 1 << 53

    /// The bundle's name.
    public let name: String
    /// The bundle's number, from 1.
    public let sequence: Int64
    /// The key that signed the link and the bundle.
    public let signer: JSONWebKey
    /// RFC 7638 thumbprints of the keys that may sign the next bundle.
    public let nextSigners: [String]
    /// The link as a compact JWS, in ASCII.
    public let token: [UInt8]

    /// Reads a link whose signature is by the key that it names. Whether that key may sign is for ``BundleTrust`` to say.
    init(parsing token: [UInt8]) throws(BundleError) {
        let jws = try BundleJWS(parsing: token, type: Self.type, maximumByteCount: Self.maximumByteCount)
        let root: JSONNode
        do {
            root = try JSONDocument(
                parsing: jws.jws.payload, maximumByteCount: Self.maximumByteCount, maximumDepth: 3,
                maximumValueCount: 64
            ).root
        } catch {
            throw BundleError(.content, "a link is not JSON that can be read in one way: \(error)")
        }
        let reading = try BundleReading(root, "a link", members: ["ver", "name", "seq", "by", "next"])
        _ = try reading.integer("ver", 1...1)
        name = try reading.name("name")
        sequence = try reading.integer("seq", 1...Self.maximumSequence)
        nextSigners = try reading.texts("next", upTo: Self.maximumSignerCount, where: BundleTrust.isThumbprint)
        guard !nextSigners.isEmpty else { throw BundleError(.content, "a link names no key for the next bundle") }
        do {
            guard let node = root["by"] else { throw JOSEError.invalidKey("it is missing") }
            signer = try JSONWebKey(node)
        } catch {
            throw BundleError(.content, "a link's key cannot be used: \(error)")
        }
        self.token = token
        try jws.check(signedBy: signer)
    }

    /// A new link, signed.
    init(
        name: String, sequence: Int64, nextSigners: [String], signedBy key: SigningKey
    ) throws(BundleError) {
        let payload = JSONWriter.object { writer in
            writer.integer("ver", 1)
            writer.string("name", name)
            writer.integer("seq", sequence)
            writer.object("by") { key.publicKey.writeMembers(to: &$0) }
            writer.array("next") { writer in for signer in nextSigners { writer.element(signer) } }
        }
        // What cannot be read back is not given out.
        try self.init(parsing: BundleJWS.sign(payload, type: Self.type, by: key))
    }
}
