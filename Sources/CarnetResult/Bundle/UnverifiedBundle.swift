internal import Cryptography
internal import StrictEncoding

/// A trust bundle that was taken apart, its chain read, and nobody's word believed.
public struct UnverifiedBundle: Sendable {
    /// The header's type, which no passport, proof, list and link has.
    public static let type = "carnet-bundle+jwt"
    /// The longest bundle, in bytes.
    public static let maximumByteCount = 16 << 20
    /// The most links of a chain.
    public static let maximumLinkCount = 64

    /// The links of the chain, oldest first; the last is the bundle's own.
    public let chain: [BundleLink]
    /// The bundle's own link.
    public let link: BundleLink
    /// SHA-256 of what is signed, the bundle up to its second dot, 32 bytes. The signature is left out, since whoever has one signature of
    /// ECDSA can write another.
    public let digest: [UInt8]
    private let jws: BundleJWS
    private let reading: BundleReading

    /// Takes a bundle apart. Only its header and its chain are read.
    ///
    /// - Parameter token: A compact JWS in ASCII, with nothing before or after it.
    public init(parsing token: [UInt8]) throws(BundleError) {
        jws = try BundleJWS(parsing: token, type: Self.type, maximumByteCount: Self.maximumByteCount)
        let root: JSONNode
        do {
            root = try JSONDocument(
                parsing: jws.jws.payload, maximumByteCount: Self.maximumByteCount, maximumDepth: 6,
                maximumValueCount: 16_384
            ).root
        } catch {
            throw BundleError(
                .content,
                "the bundle was changed or damaged after it was made: its content cannot be read as JSON in one way: \(error)"
            )
        }
        reading = try BundleReading(root, "the bundle", members: BundleContent.members)
        _ = try reading.integer("ver", 1...1)
        var chain: [BundleLink] = []
        for node in try reading.elements("chain", upTo: Self.maximumLinkCount) {
            guard let text = node.string else { throw BundleError(.content, "a link is not a text") }
            let link = try BundleLink(parsing: Array(text.utf8))
            if let before = chain.last {
                guard before.sequence < link.sequence, before.name == link.name else {
                    throw BundleError(.content, "the links are not of one name and in the order of their numbers")
                }
            }
            chain.append(link)
        }
        guard let link = chain.last else { throw BundleError(.content, "the chain has no link") }
        self.chain = chain
        self.link = link
        digest = HashAlgorithm.sha256.hash(Array(jws.jws.signingInput))
    }

    /// What the bundle says, once the chain is found to lead from what is trusted to the key that signed it; and what to trust from then on.
    ///
    /// Times are not looked at.
    public func verified(
        trusting trust: BundleTrust
    ) throws(BundleError) -> (content: BundleContent, trust: BundleTrust) {
        let signer = try trust.signer(of: chain)
        try jws.check(signedBy: signer)
        try trust.checkNoFork(link, digest: digest)
        let content = try unverifiedContent()
        let mark = BundleTrust.Mark(name: link.name, sequence: link.sequence, digest: digest)
        return (content, BundleTrust(following: mark, signers: link.nextSigners))
    }

    /// What the bundle says, whoever wrote it: to look at, never to decide by.
    public func unverifiedContent() throws(BundleError) -> BundleContent {
        let content = try BundleContent(reading)
        let signers = Set(chain.flatMap { [$0.signer.thumbprint] + $0.nextSigners })
        for issuer in content.issuers {
            guard issuer.keySet.verificationKeys.values.allSatisfy({ !signers.contains($0.thumbprint) }) else {
                throw BundleError(.content, "an issuer's key also signs bundles; those must be two")
            }
        }
        return content
    }
}
