internal import StrictEncoding

/// Which makers' certificates are known, by fingerprint: `Keys/TrustAnchors/manifest.json`.
public struct TrustAnchorManifest: Sendable {
    /// One certificate of a TPM maker.
    public struct Entry: Sendable, Hashable {
        public let maker: String
        public let subject: String
        /// SHA-256 over the certificate's DER bytes.
        public let fingerprint: [UInt8]
        /// Where the certificate and its fingerprint can be checked.
        public let source: String
    }

    /// The entries by fingerprint.
    public let entries: [[UInt8]: Entry]

    /// Why a text is no manifest.
    public struct Unreadable: Error, CustomStringConvertible {
        public let description: String
    }

    /// Reads `{"version":1,"anchors":[{"maker","subject","sha256","source"}]}` strictly.
    public init(parsing bytes: [UInt8]) throws(Unreadable) {
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: bytes, maximumByteCount: 1 << 20, maximumDepth: 4).root
        } catch {
            throw Unreadable(description: "the manifest is not JSON: \(error)")
        }
        guard root["version"]?.integer == 1, let anchors = root["anchors"]?.elements else {
            throw Unreadable(description: "the manifest is not of version 1, or has no list anchors")
        }
        var entries: [[UInt8]: Entry] = [:]
        for (number, anchor) in anchors.enumerated() {
            guard anchor.count == 4, let maker = anchor["maker"]?.string, let subject = anchor["subject"]?.string,
                let source = anchor["source"]?.string,
                let fingerprint = anchor["sha256"]?.string.flatMap({ Hexadecimal.decode($0) }), fingerprint.count == 32
            else {
                throw Unreadable(
                    description: "anchor \(number) of the manifest has not exactly maker, subject, sha256 and source")
            }
            let entry = Entry(maker: maker, subject: subject, fingerprint: fingerprint, source: source)
            guard entries.updateValue(entry, forKey: fingerprint) == nil else {
                throw Unreadable(description: "anchor \(number) of the manifest repeats a fingerprint")
            }
        }
        self.entries = entries
    }
}
