/// Why bytes are not an event log that Carnet reads.
public enum EventLogError: Error, Hashable, CustomStringConvertible {
    /// No bytes at all: some platforms give an empty log.
    case empty
    /// More bytes, events or data than the limits allow.
    case tooLarge(String)
    /// A field runs past the end.
    case truncated(event: Int?, field: String)
    /// The log has only SHA-1 digests (TCG 1.2 format): they prove nothing.
    case legacySHA1Only
    /// The header or an event is not what the specification says.
    case malformed(event: Int?, reason: String)

    /// A sentence that names the event.
    public var description: String {
        switch self {
        case .empty: "the event log is empty"
        case .tooLarge(let reason): "the event log is too large: \(reason)"
        case .truncated(let event, let field): "\(Self.place(event)) ends inside its \(field)"
        case .legacySHA1Only: "the event log has SHA-1 digests only; the firmware must log SHA-256 or better"
        case .malformed(let event, let reason): "\(Self.place(event)) \(reason)"
        }
    }

    private static func place(_ event: Int?) -> String { event.map { "event \($0) of the log" } ?? "the log's header" }
}
