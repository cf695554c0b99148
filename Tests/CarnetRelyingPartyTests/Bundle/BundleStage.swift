import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

/// An issuer, a bundle key, and bundles of every wrongness.
struct BundleStage {
    static let now = Stage.now
    static let name = "urn:bundle:demo"
    let forge: TokenForge
    let root: SigningKey

    init() throws {
        forge = try TokenForge()
        root = try SigningKey(.generate())
    }

    var trust: BundleTrust { get throws { try BundleTrust(rootKey: root.keyID) } }

    var issuer: BundledIssuer {
        get throws {
            BundledIssuer(name: Stage.issuer, currentKeys: try JSONWebKeySet(parsing: forge.keySet))
        }
    }

    func content(
        issuedAt: Int64 = now, lifetime: Int64 = 86_400, grace: Int64 = 3600, lists: [[UInt8]] = [],
        minimum: MinimumPolicy = MinimumPolicy()
    ) throws -> BundleContent {
        let issuer = BundledIssuer(
            name: Stage.issuer, currentKeys: try JSONWebKeySet(parsing: forge.keySet), statusLists: lists)
        return BundleContent(
            issuedAt: issuedAt, expiresAt: issuedAt + lifetime, grace: grace, issuers: [issuer], minimum: minimum)
    }

    func first(_ content: BundleContent? = nil, next: [String]? = nil) throws -> [UInt8] {
        try root.sign(content ?? self.content(), named: Self.name, nextSigners: next)
    }

    func next(
        after previous: [UInt8], by key: SigningKey, _ content: BundleContent? = nil, next: [String]? = nil,
        droppingLinksUpTo oldest: Int64 = 0
    ) throws -> [UInt8] {
        try key.sign(
            content ?? self.content(), following: UnverifiedBundle(parsing: previous), nextSigners: next,
            droppingLinksUpTo: oldest)
    }

    func open(_ token: [UInt8], _ trust: BundleTrust? = nil, at now: Int64 = now) throws -> TrustBundle {
        try TrustBundle(parsing: token, trusting: trust ?? self.trust, at: now)
    }

    /// How reading a bundle ends: `nil` when it is accepted.
    func fault(_ token: [UInt8], _ trust: BundleTrust? = nil, at now: Int64 = now) throws -> BundleError.Code? {
        let trust = try trust ?? self.trust
        do throws(BundleError) {
            _ = try TrustBundle(parsing: token, trusting: trust, at: now)
            return nil
        } catch {
            return error.code
        }
    }

    static func text(_ token: [UInt8]) throws -> String {
        String(decoding: try CompactJWS(parsing: token).payload, as: UTF8.self)
    }

    /// A token of any header and payload, signed by any key.
    func token(
        _ payload: String, header: String? = nil, type: String = UnverifiedBundle.type, by key: SigningKey? = nil
    )
        throws -> [UInt8]
    {
        let key = key ?? root
        return try forge.token(
            header: header ?? #"{"alg":"ES256","typ":"\#(type)","kid":"\#(key.keyID)"}"#, payload: payload
        ) { try key.key.ecdsaSignature(over: $0, .sha256) }
    }

    /// The fault of a bundle that is signed well and whose payload has `target` replaced, which must have an effect.
    func fault(replacing target: String, with replacement: String) throws -> BundleError.Code? {
        let payload = try Self.text(first())
        let spoiled = payload.replacing(target, with: replacement)
        #expect(spoiled != payload, "\(target) does not occur in \(payload)")
        return try fault(token(spoiled))
    }

    /// A link of any content, signed well.
    func link(_ payload: String, by key: SigningKey? = nil) throws -> String {
        String(decoding: try token(payload, type: BundleLink.type, by: key), as: UTF8.self)
    }

    /// A bundle whose chain is these links.
    func bundle(chain: [String], by key: SigningKey? = nil) throws -> [UInt8] {
        let payload = try Self.text(first())
        let own = try #require(payload.firstRange(of: /"chain":\[[^\]]*\]/))
        let chain = chain.map { "\"\($0)\"" }.joined(separator: ",")
        return try token(payload.replacingCharacters(in: own, with: #""chain":[\#(chain)]"#), by: key)
    }

    /// The payload of a good link.
    func linkPayload(_ sequence: Int64 = 1, name: String = name, by key: SigningKey? = nil, next: [SigningKey] = [])
        throws -> String
    {
        let key = key ?? root
        let by = String(decoding: JSONWriter.object { key.publicKey.writeMembers(to: &$0) }, as: UTF8.self)
        let names = (next.isEmpty ? [key] : next).map { "\"\($0.keyID)\"" }.joined(separator: ",")
        return #"{"ver":1,"name":"\#(name)","seq":\#(sequence),"by":\#(by),"next":[\#(names)]}"#
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        var copy = self
        copy.replaceSubrange(range, with: text)
        return copy
    }
}
