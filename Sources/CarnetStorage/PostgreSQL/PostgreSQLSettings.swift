/// How a service uses its PostgreSQL server. Times are in seconds.
public struct PostgreSQLSettings: Sendable, Hashable {
    /// How many connections are open at most, 1 to 1000. All replicas together stay below the server's `max_connections`.
    public var maximumConnectionCount = 8
    /// How long a transaction waits for a free connection, for a lock (`lock_timeout`), and to try again after conflicts.
    public var timeout = 5.0
    /// How long one statement may run (`statement_timeout`).
    public var statementTimeout = 15.0
    /// How long a transaction may do nothing (`idle_in_transaction_session_timeout`).
    public var idleTimeout = 30.0
    /// How long to wait for the server when connecting (`connect_timeout`); libpq's least is 2.
    public var connectTimeout = 5.0
    /// How long a change of the schema may take, and waits for its turn.
    public var migrationTimeout = 600.0

    /// The settings that are right until somebody knows better.
    public init() {}

    /// Milliseconds as the server takes them; 0 would mean without end.
    static func milliseconds(_ seconds: Double) -> String {
        String(max(1, Int(exactly: (min(seconds, 86_400) * 1000).rounded()) ?? 1))
    }
}
