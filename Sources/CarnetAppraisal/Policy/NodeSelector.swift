/// Which machines a policy is for: those whose labels have one of the named values, for each label that is named.
public struct NodeSelector: Sendable, Hashable {
    /// For each label its accepted values.
    public let labels: [String: Set<String>]

    /// Every machine.
    public static let all = NodeSelector(labels: [:])

    /// A selector.
    public init(labels: [String: Set<String>]) { self.labels = labels }

    /// Whether a machine with these labels is meant.
    public func selects(_ labels: [String: String]) -> Bool {
        self.labels.allSatisfy { name, values in labels[name].map(values.contains) ?? false }
    }
}
