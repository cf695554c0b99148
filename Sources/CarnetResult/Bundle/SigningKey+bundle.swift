internal import StrictEncoding

extension SigningKey {
    /// The first bundle of a chain, number 1, in ASCII.
    ///
    /// - Parameters:
    ///   - name: What the bundle is called, in every number of it.
    ///   - nextSigners: Thumbprints of the keys that may sign the next one; by default this key's.
    public func sign(
        _ content: BundleContent, named name: String, nextSigners: [String]? = nil
    ) throws(BundleError) -> [UInt8] {
        try bundle(content, name, sequence: 1, after: [], nextSigners ?? [keyID])
    }

    /// The bundle that follows another, in ASCII.
    ///
    /// - Parameters:
    ///   - previous: The bundle before, which must name this key for the next.
    ///   - nextSigners: Thumbprints of the keys that may sign the one after; by default the same as before.
    ///   - oldest: The number up to which machines are expected to have followed: links up to it are left out. 0 keeps them all.
    public func sign(
        _ content: BundleContent, following previous: UnverifiedBundle, nextSigners: [String]? = nil,
        droppingLinksUpTo oldest: Int64 = 0
    ) throws(BundleError) -> [UInt8] {
        guard previous.link.nextSigners.contains(keyID) else {
            throw BundleError(.untrustedSigner, "the bundle before does not name this key (\(keyID)) for the next")
        }
        guard previous.link.sequence < BundleLink.maximumSequence else {
            throw BundleError(.tooLarge, "there is no number after \(previous.link.sequence)")
        }
        return try bundle(
            content, previous.link.name, sequence: previous.link.sequence + 1,
            after: Self.changes(in: previous.chain).filter { $0.sequence > oldest },
            nextSigners ?? previous.link.nextSigners)
    }

    /// The links after which other keys may sign than before: what a machine needs that missed some bundles. The first link is about a
    /// change when it names others than the key that signed it.
    private static func changes(in chain: [BundleLink]) -> [BundleLink] {
        var kept: [BundleLink] = [], allowed: Set<String>?
        for link in chain {
            let next = Set(link.nextSigners)
            if next != allowed ?? [link.signer.thumbprint] { kept.append(link) }
            allowed = next
        }
        return kept
    }

    private func bundle(
        _ content: BundleContent, _ name: String, sequence: Int64, after chain: [BundleLink], _ nextSigners: [String]
    ) throws(BundleError) -> [UInt8] {
        let own = try BundleLink(name: name, sequence: sequence, nextSigners: nextSigners, signedBy: self)
        let size = content.issuers.flatMap(\.statusLists).reduce(16_384) { $0 + $1.count }
        var writer = JSONWriter(reserving: size)
        writer.object { writer in
            writer.integer("ver", 1)
            writer.array("chain") { writer in
                for link in chain + [own] { writer.element(String(decoding: link.token, as: UTF8.self)) }
            }
            content.write(to: &writer)
        }
        let token = try BundleJWS.sign(writer.bytes, type: UnverifiedBundle.type, by: self)
        // What cannot be read back is not given out.
        _ = try UnverifiedBundle(parsing: token).unverifiedContent()
        return token
    }
}
