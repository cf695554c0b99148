import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import VerifierHarness

/// Verifiers that share a PostgreSQL server: what an attestation costs with one of them, and with three.
///
/// With two processors this shows what replicas cost one another, not how much faster three machines are.
struct Replicas: Encodable {
    let one: Measurement
    let three: Measurement

    struct Measurement: Encodable {
        let load: Load
        /// Microseconds of the server's processor for each attestation.
        let serverMicroseconds: Double
        /// Transactions that failed, whatever was done about it.
        let databaseErrors: Double
    }

    /// `nil` when PostgreSQL is not installed.
    static func measure(
        _ fleet: Fleet, policyFile: String, verifiersOn processor: Int, width: Int
    ) async throws -> Replicas? {
        // As safe as a server is by default: the fixture's own settings are for tests.
        guard let server = try PostgreSQLServer.install(["full_page_writes=on", "autovacuum=on"]) else { return nil }
        defer { server.stop() }
        let address = try server.makeDatabase(), folder = try TemporaryFolder.make("replicas")
        func place(_ number: Int) -> RunningVerifier.Place {
            RunningVerifier.Place(
                folder: folder + "/\(number)", policyFile: policyFile, database: address,
                keyFile: number == 0 ? nil : folder + "/0/key-encryption-key")
        }
        var verifiers = [try await RunningVerifier(place(0), on: processor)]
        defer { for verifier in verifiers { try? verifier.stop() } }
        try await fleet.enrol(
            verifiers[0].client, administrator: try await RunningVerifier.administrator(place(0)))
        let one = try await measure(fleet, verifiers, server, width)
        for number in 1...2 { verifiers.append(try await RunningVerifier(place(number), on: processor)) }
        return Replicas(one: one, three: try await measure(fleet, verifiers, server, width))
    }

    private static func measure(
        _ fleet: Fleet, _ verifiers: [RunningVerifier], _ server: PostgreSQLServer, _ width: Int
    ) async throws -> Measurement {
        let clients = verifiers.map(\.client), uses = verifiers.map(\.use)
        // Once to warm up: each replica opens its connections.
        _ = try await Load.attest(fleet, at: clients, width: width, counting: uses)
        var loads: [Load] = [], times: [Double] = []
        for _ in 0..<3 {
            let sessions = try processes(of: server), before = sessions.reduce(0) { $0 + $1.processorTime }
            loads.append(try await Load.attest(fleet, at: clients, width: width, counting: uses))
            let after = sessions.reduce(0) { $0 + $1.processorTime }
            times.append((after - before) / Double(fleet.tpms.count))
        }
        var errors = 0.0
        for client in clients {
            errors += try await client.call(.get, "/metrics").text.split(separator: "\n")
                .filter { $0.hasPrefix("carnet_database_errors_total") }
                .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
        }
        return Measurement(load: loads.middle, serverMicroseconds: times.sorted()[1], databaseErrors: errors)
    }

    /// The server's processes that live now: sessions, and those that write in the background.
    private static func processes(of server: PostgreSQLServer) throws -> [ProcessUse] {
        try server.sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()").split(separator: "\n")
            .compactMap { pid_t($0) }.map(ProcessUse.init(identifier:))
    }
}
