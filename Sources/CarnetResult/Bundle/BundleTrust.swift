internal import StrictEncoding

/// Which bundle a relying party accepts next: one by a root key at first, and then one that continues the last.
///
/// Keep the value of the last bundle (``bytes``) where nobody else writes: a machine that remembers it never goes back in sequence, and
/// never follows a fork. One that only knows the root key accepts any bundle in time that the root key's chain leads to.
public struct BundleTrust: Sendable, Hashable {
    /// The bundle that was accepted last; `nil` before the first.
    public let last: Mark?
    /// RFC 7638 thumbprints of the keys that may sign what comes next.
    public let signers: Set<String>

    /// One accepted bundle.
    public struct Mark: Sendable, Hashable {
        public let name: String
        public let sequence: Int64
        /// SHA-256 of what is signed, 32 bytes.
        public let digest: [UInt8]
    }

    /// Trust in a root bundle key, before any bundle was accepted.
    ///
    /// - Parameter thumbprint: The key's RFC 7638 thumbprint in base64url, 43 characters, as `carnet bundle key` prints it.
    public init(rootKey thumbprint: String) throws(BundleError) {
        guard Self.isThumbprint(thumbprint) else {
            throw BundleError(.content, "the root key is not a thumbprint: 43 characters of base64url")
        }
        last = nil
        signers = [thumbprint]
    }

    init(following last: Mark?, signers: some Sequence<String>) {
        self.last = last
        self.signers = Set(signers)
    }

    static func isThumbprint(_ text: String) -> Bool { Base64URL.decode(text)?.count == 32 }

    /// Reads what ``bytes`` wrote.
    public init(parsing bytes: [UInt8]) throws(BundleError) {
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: bytes, maximumByteCount: 8192, maximumDepth: 2, maximumValueCount: 64).root
        } catch {
            throw BundleError(.content, "the remembered trust is not JSON that can be read in one way: \(error)")
        }
        let last = ["name", "seq", "sha256"]
        let reading = try BundleReading(root, "the remembered trust", members: Set(last + ["ver", "signers"]))
        _ = try reading.integer("ver", 1...1)
        let signers = try reading.texts("signers", upTo: BundleLink.maximumSignerCount, where: Self.isThumbprint)
        guard !signers.isEmpty else { throw BundleError(.content, "the remembered trust names no key") }
        guard last.contains(where: { root[$0] != nil }) else {
            self.init(following: nil, signers: signers)
            return
        }
        guard let digest = root["sha256"]?.string.flatMap({ Base64URL.decode($0) }), digest.count == 32 else {
            throw BundleError(.content, "sha256 of the remembered trust is not 32 bytes")
        }
        self.init(
            following: Mark(
                name: try reading.name("name"),
                sequence: try reading.integer("seq", 1...BundleLink.maximumSequence), digest: digest),
            signers: signers)
    }

    /// The value as JSON, to be kept. Before the first bundle it holds the root key's thumbprint alone.
    public var bytes: [UInt8] {
        JSONWriter.object { writer in
            writer.integer("ver", 1)
            if let last {
                writer.string("name", last.name)
                writer.integer("seq", last.sequence)
                writer.base64URL("sha256", last.digest)
            }
            writer.array("signers") { writer in for signer in signers.sorted() { writer.element(signer) } }
        }
    }

    /// The key that may have signed a bundle with this chain, each of whose links is checked.
    ///
    /// Links up to the last bundle are not looked at again. Every later one must be by a key that the one before it names. The key of a
    /// bundle with the last one's number is trusted only once ``checkNoFork(_:digest:)`` finds it to be the same bundle.
    func signer(of chain: [BundleLink]) throws(BundleError) -> JSONWebKey {
        guard let own = chain.last else { throw BundleError(.content, "the chain has no link") }
        if let last {
            guard own.name == last.name else {
                throw BundleError(.name, "the bundle is called \(own.name), not \(last.name)")
            }
            guard own.sequence >= last.sequence else {
                throw BundleError(
                    .rollback, "the bundle is number \(own.sequence); number \(last.sequence) was accepted before")
            }
            if own.sequence == last.sequence { return own.signer }
        }
        var allowed = signers
        for link in chain where link.sequence > last?.sequence ?? 0 {
            guard allowed.contains(link.signer.thumbprint) else {
                throw BundleError(
                    .untrustedSigner,
                    "number \(link.sequence) is signed by \(link.signer.thumbprint), which is not trusted for it: the chain begins too late, or the key was replaced"
                )
            }
            allowed = Set(link.nextSigners)
        }
        return own.signer
    }

    /// Refuses a second bundle of a number. Look at the signature first: a copy that was damaged is no fork.
    func checkNoFork(_ link: BundleLink, digest: [UInt8]) throws(BundleError) {
        guard let last, link.sequence == last.sequence, digest != last.digest else { return }
        throw BundleError(.fork, "another bundle of the number \(link.sequence) was accepted before")
    }
}
