import Fixtures
import CarnetStorage
import CarnetVerifier
import Foundation

/// An SQLite database in a temporary file, with the verifier's schema.
func testDatabase() async throws -> SQLiteDatabase {
    let path = TemporaryFolder.path("database")
    let database = try SQLiteDatabase(path: path)
    try await database.migrate(Schema.migrations, now: 0)
    return database
}

/// An identity made of small numbers: equal numbers give equal parts.
func identity(name: Int = 1, endorsementKey: UInt8 = 1, attestationKey: UInt8 = 1) -> NodeIdentity {
    NodeIdentity(
        name: "node-\(name)", endorsement: .certificate,
        endorsementKeyDigest: [UInt8](repeating: endorsementKey, count: 32),
        endorsementKey: [endorsementKey], endorsementCertificate: nil, attestationKeyName: [0, 11, attestationKey],
        attestationKey: [attestationKey])
}
