public import StrictEncoding

/// Where a token's status is kept: the list's name and an index into it (draft-ietf-oauth-status-list-21 §6.2).
public struct StatusReference: Sendable, Hashable {
    /// The list's name, which its token repeats as `sub`: 1 to 1024 visible characters of ASCII.
    public let uri: String
    /// The index, from 0 and below ``StatusList/maximumCount``.
    public let index: Int

    /// A reference, or `nil` when no list could have this name or index.
    public init?(uri: String, index: Int) {
        guard Self.isName(uri), (0..<StatusList.maximumCount).contains(index) else { return nil }
        self.uri = uri
        self.index = index
    }

    /// Reads the claim `status`: an object whose only member is `status_list`.
    ///
    /// - Returns: `nil` for another shape, and for another mechanism beside or instead of the list: one that nobody looks at must not
    ///   count as good.
    public init?(claim: some JSONReadable) {
        guard claim.count == 1, let list = claim["status_list"], let uri = list["uri"]?.string,
            let index = list["idx"]?.integer.flatMap({ Int(exactly: $0) })
        else { return nil }
        self.init(uri: uri, index: index)
    }

    /// Whether a text can be a list's name. Two such texts are equal only when their bytes are.
    static func isName(_ text: String) -> Bool {
        (1...1024).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// Writes the claim `status` as a member of the current object.
    func write(to writer: inout JSONWriter) {
        writer.object("status") { writer in
            writer.object("status_list") { writer in
                writer.integer("idx", Int64(index))
                writer.string("uri", uri)
            }
        }
    }
}
