/// How a verifier names a machine in `sub`: `urn:carnet:node:` and a UUID in lower case.
public enum NodeSubject {
    /// What every subject begins with.
    public static let prefix = "urn:carnet:node:"

    /// Whether a text can be a machine's subject. A machine's name, as `carnet-agent enrol --name` gives it, is none.
    public static func isSubject(_ text: String) -> Bool {
        guard text.hasPrefix(prefix) else { return false }
        let parts = text.utf8.dropFirst(prefix.utf8.count).split(separator: 0x2D, omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.joined().allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
