import CarnetRecords
import CarnetStorage
import Foundation

extension Broker {
    /// Makes every check that a start makes before it listens, and changes nothing: no folder, no file, no row.
    ///
    /// - Returns: What could not be tried, or is not there yet, each in a sentence for the operator.
    /// - Throws: What a start would throw.
    package static func check(_ configuration: BrokerConfiguration) async throws -> [String] {
        _ = try BrokerFiles(configuration)
        return try await Records.check(configuration.records, .broker, migrations: BrokerSchema.migrations)
    }
}
