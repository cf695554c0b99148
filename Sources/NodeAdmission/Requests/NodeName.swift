/// Names of Kubernetes nodes.
public enum NodeName {
    /// What a kubelet's user name begins with, before its node's name.
    public static let userPrefix = "system:node:"
    /// The group of all kubelets.
    public static let group = "system:nodes"

    /// Whether a text can be a node's name: an RFC 1123 subdomain of at most 253 characters, in lower case.
    public static func isValid(_ name: String) -> Bool {
        let labels = name.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        return name.utf8.count <= 253 && labels.allSatisfy(isLabel)
    }

    /// The node whose kubelet has this user name; `nil` for other users, and for names that no node can have.
    public static func ofUser(_ username: String) -> String? {
        guard username.hasPrefix(userPrefix) else { return nil }
        let name = String(username.dropFirst(userPrefix.count))
        return isValid(name) ? name : nil
    }

    /// Whether a text can be the name of a namespace: an RFC 1123 label of at most 63 characters, in lower case.
    package static func isNamespace(_ name: String) -> Bool { name.utf8.count <= 63 && isLabel(name.utf8[...]) }

    private static func isLabel(_ label: Substring.UTF8View.SubSequence) -> Bool {
        guard let first = label.first, let last = label.last else { return false }
        return label.allSatisfy { isAlphanumeric($0) || $0 == 0x2D } && isAlphanumeric(first) && isAlphanumeric(last)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
