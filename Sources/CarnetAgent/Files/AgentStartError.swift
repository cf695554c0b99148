/// Why the agent does not start: a sentence for whoever started it.
public struct AgentStartError: Error, Sendable, CustomStringConvertible {
    /// What a caller may branch on.
    public enum Code: Sendable, Hashable {
        /// Another agent runs with the same state or socket.
        case taken
        /// A file or a directory cannot be used.
        case unusable
    }

    public let code: Code
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
