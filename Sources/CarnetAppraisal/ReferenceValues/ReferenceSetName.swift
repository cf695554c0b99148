internal import Cryptography
internal import StrictEncoding

/// How a policy names a set: what people call it, and the digest that no other set has, as in `debian-13@sha256:9f86…`.
///
/// The digest stands in the policy's text, so the policy's own digest, which every token carries, says which values counted.
public struct ReferenceSetName: Sendable, Hashable, CustomStringConvertible {
    /// What the set calls itself.
    public let name: String
    /// SHA-256 of ``ReferenceSet/bytes()``.
    public let digest: [UInt8]

    /// The name of a set.
    ///
    /// - Throws: ``ReferenceSetError/tooLarge(_:)``.
    public init(_ set: ReferenceSet) throws(ReferenceSetError) {
        name = set.name
        digest = try set.digest()
    }

    /// The name that a text spells; `nil` for any other spelling.
    public init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, ReferenceSet.isName(String(parts[0])),
            let digest = ReferenceDigest(String(parts[1])), digest.algorithm == .sha256
        else { return nil }
        name = String(parts[0])
        self.digest = digest.bytes
    }

    /// The name's text.
    public var description: String { "\(name)@sha256:\(Hexadecimal.encode(digest))" }
}
