import CarnetEvidence
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import HTTPTypes
import ServiceHarness
import Testing
import VerifierHarness

/// A verifier whose PostgreSQL goes away, comes back, and is in the way: it says that it is unavailable, and nothing that it acknowledged is lost.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: PostgreSQLServer.isInstalled, Comment(rawValue: PostgreSQLServer.skipReason)))
struct DatabaseFaultTests {
    /// What goes wrong.
    enum Fault: CaseIterable {
        case stopped, crashed, readOnly, outOfConnections, slow
    }

    private func begin(_ fault: Fault, _ server: PostgreSQLServer, _ address: String) throws {
        switch fault {
        case .stopped: server.stop()
        case .crashed: server.crash()
        case .readOnly: try change("SET default_transaction_read_only = on", server)
        case .outOfConnections:
            _ = try server.sql("ALTER ROLE \(PostgreSQLServer.role) CONNECTION LIMIT 0")
            _ = try server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(PostgreSQLServer.role)'")
        case .slow:
            // Every commit waits for a standby that does not exist.
            try change("SET synchronous_standby_names = 'nobody'", server)
        }
    }

    private func end(_ fault: Fault, _ server: PostgreSQLServer) throws {
        switch fault {
        case .stopped, .crashed: try server.start()
        case .readOnly: try change("RESET default_transaction_read_only", server)
        case .outOfConnections: _ = try server.sql("ALTER ROLE \(PostgreSQLServer.role) CONNECTION LIMIT -1")
        case .slow: try change("RESET synchronous_standby_names", server)
        }
    }

    private func change(_ setting: String, _ server: PostgreSQLServer) throws {
        _ = try server.sql("ALTER SYSTEM \(setting)")
        _ = try server.sql("SELECT pg_reload_conf()")
    }

    @Test("While it lasts nobody gets a passport; afterwards everybody does", arguments: Fault.allCases)
    func fault(_ fault: Fault) async throws {
        let server = try #require(try PostgreSQLServer.install())
        let address = try server.makeDatabase()
        let policy = try SimulatedTPM.policyFile()
        let verifier = try VerifierUnderTest { configuration in
            configuration.database = (try? PostgreSQLAddress(parsing: address)).map(DatabaseAddress.postgreSQL)
            configuration.policyFile = policy
            configuration.databaseTimeout = 1
        }
        try await verifier.run { client in
            let traffic = Traffic(client: client, administrator: try verifier.administrator)
            let tpm = try SimulatedTPM()
            try await traffic.enrol(tpm, "node")
            let machine = SimulatedMachine(tpm, named: "node", client)
            let session = try await machine.session()
            let evidence = try tpm.evidence(nonce: session.nonce, session.selection).bytes
            try await traffic.during {
                try await traffic.attest(tpm, "node")
            } body: {
                #expect(try await eventually { traffic.heard.now.passports.count >= 3 })
                try begin(fault, server, address)
                #expect(try await eventually { try await client.call(.get, "/readyz").status == 503 })
                #expect(try await client.call(.get, "/livez").status == 200)
                let refused = try await machine.send(evidence, to: session)
                #expect(refused.status == 503 && refused.problem == "unavailable", "\(refused.text)")
                #expect(refused.header("Retry-After") != nil && !refused.text.contains("eyJ"))
                #expect(!refused.text.contains(PostgreSQLServer.password))
                try end(fault, server)
                #expect(try await eventually { try await client.call(.get, "/readyz").status == 200 })
                let count = traffic.heard.now.passports.count
                #expect(try await eventually { traffic.heard.now.passports.count >= count + 3 })
            }
            let database = try await DatabaseAddress.postgreSQL(PostgreSQLAddress(parsing: address)).open(
                timeout: 5, maximumConnectionCount: 2)
            try await traffic.heard.now.audit(database, client)
        }
        #expect(!verifier.log.text.joined().contains(PostgreSQLServer.password))
    }
}
