import CarnetRecords
import CarnetAppraisal
import CarnetService
import CarnetStorage
import Foundation

extension Verifier {
    /// Makes every check that a start makes before it listens, and changes nothing: no folder, no file, no row.
    ///
    /// - Returns: What could not be tried, or is not there yet, each in a sentence for the operator.
    /// - Throws: What a start would throw.
    package static func check(_ configuration: VerifierConfiguration) async throws -> [String] {
        let files = try VerifierFiles(configuration)
        return try await Records.check(configuration.records, .verifier, migrations: Schema.migrations) { database in
            if !configuration.changesIssuer {
                try await database.read { try Issuer.check(configuration.issuer, in: $0) }
            }
            if let policy = files.policy, let path = configuration.policyFile {
                try await check(policy, of: path, PolicyStore(Ledger(database)))
            }
        }
    }

    /// A policy that a start would activate needs its reference sets.
    private static func check(_ text: [UInt8], of path: String, _ policies: PolicyStore) async throws {
        guard try await !policies.wasActivated(Policy(parsing: text).digest) else { return }
        do {
            try await requireReferences(of: text, ReferenceSetStore(policies.ledger))
        } catch let problem as Problem {
            throw VerifierConfigurationError.policy(path, problem.detail)
        }
    }
}
