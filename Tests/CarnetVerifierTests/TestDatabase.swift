import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import VerifierHarness

/// A database of a test's own, with the verifier's schema. Its place is removed with it.
func testDatabase(on engine: TestDatabasePlace.Engine = TestDatabasePlace.usualEngine) async throws -> any SQLDatabase {
    let place = try TestDatabasePlace(engine)
    let database = PlacedDatabase(place: place, base: try await place.open())
    try await database.migrate(Schema.migrations, now: 0)
    return database
}

private struct PlacedDatabase: SQLDatabase {
    let place: TestDatabasePlace
    let base: any SQLDatabase

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value { try await base.read(body) }

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value { try await base.write(body) }

    func writeAlone<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value { try await base.writeAlone(body) }
}

/// An identity made of small numbers: equal numbers give equal parts.
func identity(name: Int = 1, endorsementKey: UInt8 = 1, attestationKey: UInt8 = 1) -> NodeIdentity {
    NodeIdentity(
        name: "node-\(name)", endorsement: .certificate,
        endorsementKeyDigest: [UInt8](repeating: endorsementKey, count: 32),
        endorsementKey: [endorsementKey], endorsementCertificate: nil, attestationKeyName: [0, 11, attestationKey],
        attestationKey: [attestationKey])
}
