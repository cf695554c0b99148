import CarnetRecords
import CarnetStorage

extension Ledger {
    /// How many messages wait for receivers, and how many receivers fail.
    func webhookLoad() async throws -> (waiting: Int64, failing: Int64) {
        try await read { connection in
            let waiting = try connection.row(
                "SELECT COUNT(*) AS count FROM webhook_deliveries WHERE state = 'waiting'")
            let failing = try connection.row(
                "SELECT COUNT(*) AS count FROM webhook_receivers WHERE failures >= \(ReceiverState.failingFrom)")
            return (try waiting?.integer("count") ?? 0, try failing?.integer("count") ?? 0)
        }
    }
}
