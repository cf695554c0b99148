import Testing

/// A good policy, and the values in it.
enum PolicyText {
    static let value = String(repeating: "a1", count: 32)
    static let other = String(repeating: "B2", count: 32)
    static let good = """
        version: 1
        id: demo-node
        description: What a good demo machine looks like
        event_log: required
        banks:
          sha256:
            0: \(value)
            4: [\(value), \(other)]
            7: ignore
          sha384:
            0: \(String(repeating: "c3", count: 48))
        """
}

/// A change to the good policy, the member that is at fault and the line, from 1.
struct Fault: CustomTestStringConvertible, Sendable {
    let from: String
    let to: String
    let member: String
    let line: Int?
    var testDescription: String { "\(from) → \(to.prefix(40))" }
    init(_ from: String, _ to: String, _ member: String, _ line: Int? = nil) {
        self.from = from
        self.to = to
        self.member = member
        self.line = line
    }

    private static let value = PolicyText.value
    private static let other = PolicyText.other

    static let all: [Fault] = [
        Fault("version: 1\n", "", "version"), Fault("version: 1", "version: 2", "version", 1),
        Fault("version: 1", "version: one", "version", 1), Fault("version: 1", "version: [1]", "version", 1),
        Fault("id: demo-node\n", "", "id"), Fault("demo-node", "Demo Node", "id", 2), Fault("demo-node", "''", "id", 2),
        Fault("demo-node", "a/../b", "id", 2), Fault("demo-node", String(repeating: "a", count: 65), "id", 2),
        Fault("demo-node", "{}", "id", 2), Fault("required", "maybe", "event_log", 4),
        Fault("required", "true", "event_log", 4), Fault("event_log", "eventlog", "eventlog", 4),
        Fault("banks:", "bank:", "banks"), Fault("description:", "Description:", "Description", 3),
        Fault("sha384", "sha1", "banks.sha1", 11), Fault("sha384", "sha3000", "banks.sha3000", 11),
        Fault("sha384", "SHA384", "banks.SHA384", 11), Fault("sha384", "sm3_256", "banks.sm3_256", 11),
        Fault("7: ignore", "24: ignore", "banks.sha256.24", 9), Fault("7: ignore", "-1: ignore", "banks.sha256.-1", 9),
        Fault("7: ignore", "16: ignore", "banks.sha256.16", 9), Fault("7: ignore", "17: ignore", "banks.sha256.17", 9),
        Fault("7: ignore", "22: ignore", "banks.sha256.22", 9), Fault("7: ignore", "23: ignore", "banks.sha256.23", 9),
        Fault("7: ignore", "07: ignore", "banks.sha256.07", 9),
        Fault("7: ignore", "0x7: ignore", "banks.sha256.0x7", 9),
        Fault("7: ignore", "seven: ignore", "banks.sha256.seven", 9),
        Fault("7: ignore", "7: ignored", "banks.sha256.7", 9), Fault("7: ignore", "7: Ignore", "banks.sha256.7", 9),
        Fault("7: ignore", "7: []", "banks.sha256.7", 9), Fault("7: ignore", "7: {}", "banks.sha256.7.value", 9),
        Fault("7: ignore", "7:", "banks.sha256.7"), Fault("7: ignore", "7: [[]]", "banks.sha256.7", 9),
        Fault("7: ignore", "7: [ignore, \(value)]", "banks.sha256.7", 9),
        Fault("7: ignore", "7: \(value)00", "banks.sha256.7", 9),
        Fault("7: ignore", "7: \(value.dropLast())", "banks.sha256.7", 9),
        Fault("7: ignore", "7: 0x\(value.dropLast(2))", "banks.sha256.7", 9),
        Fault("7: ignore", "7: g\(value.dropFirst())", "banks.sha256.7", 9),
        Fault("7: ignore", "7: [\(other), \(other.lowercased())]", "banks.sha256.7", 9),
        Fault("    0: \(value)", "    0: \(String(repeating: "0", count: 64))", "banks.sha256.0", 7),
        Fault("    4: [\(value), ", "    4: [\(String(repeating: "0", count: 64)), ", "banks.sha256.4", 8),
    ]
}
