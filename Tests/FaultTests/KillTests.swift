import Fixtures
import Foundation
import Testing
import VerifierHarness

/// Verifiers that are killed at random points while machines and operators use them: what was acknowledged is there, what was signed is in
/// the ledger, and a challenge was answered once.
///
/// `CARNET_KILLS` says how often; `make faults` does it 500 times on each engine.
@Suite(.serialized, .timeLimit(.minutes(60)))
struct KillTests {
    static let killCount = ProcessInfo.processInfo.environment["CARNET_KILLS"].flatMap { Int($0) } ?? 12

    @Test("One verifier on SQLite, killed again and again")
    func alone() async throws {
        try await killed(KilledOffice(.sqlite, replicaCount: 1))
    }

    @Test(
        "Three verifiers behind HAProxy on one PostgreSQL, one of them killed again and again",
        .enabled(if: PostgreSQLServer.isInstalled, Comment(rawValue: PostgreSQLServer.skipReason)),
        .enabled(if: LoadBalancer.isInstalled, Comment(rawValue: LoadBalancer.skipReason)))
    func replicas() async throws {
        try await killed(KilledOffice(.postgreSQL, replicaCount: 3))
    }

    private func killed(_ office: KilledOffice) async throws {
        let heard = try await office.run(killCount: Self.killCount)
        // It is no test when nothing was under way.
        #expect(heard.passports.count >= Self.killCount && heard.machines.count >= 3 && !heard.withdrawn.isEmpty)
        try await office.audit(heard)
        print(
            "\(Self.killCount) kills: \(heard.passports.count) passports, \(heard.machines.count) machines and",
            "\(heard.withdrawn.count) withdrawals were acknowledged, \(heard.failureCount) calls were not; nothing is lost"
        )
    }
}
