import CarnetStorage
import Fixtures
import HTTPTypes
import ServiceHarness
import Testing
import VerifierHarness

/// Verifiers with one database that are killed while they work.
struct KilledOffice {
    private let replicas: [Replica]
    private let balancer: LoadBalancer?
    private let database: DatabaseAddress
    private let place: TestDatabasePlace?

    /// Verifiers that were never started: on PostgreSQL behind a load balancer.
    init(_ engine: TestDatabasePlace.Engine, replicaCount: Int) throws {
        let key = TemporaryFolder.path("kek"), policy = try SimulatedTPM.policyFile()
        switch engine {
        case .sqlite:
            let replica = try Replica(database: nil, key: key, policy: policy)
            (replicas, balancer, place, database) = ([replica], nil, nil, replica.ownDatabase)
        case .postgreSQL:
            let place = try TestDatabasePlace(.postgreSQL), uri = place.uri
            replicas = try (0..<replicaCount).map { _ in try Replica(database: uri, key: key, policy: policy) }
            balancer = try LoadBalancer(to: replicas.map(\.port))
            (self.place, database) = (place, place.address)
        }
    }

    private var client: ServiceClient { balancer?.client ?? replicas[0].client }

    /// Kills verifiers at random points while machines and an operator use them, and leaves all of them running.
    ///
    /// - Returns: What was acknowledged.
    func run(killCount: Int) async throws -> Acknowledgements.Content {
        for replica in replicas {
            try replica.start()
            try #require(try await replica.isReady(), "\(replica.log)")
        }
        try #require(try await eventually { (try? await client.call(.get, "/readyz").status) == 200 })
        let traffic = Traffic(client: client, administrator: try await replicas[0].bootstrap())
        let machines = try (0..<3).map { _ in try SimulatedTPM() }
        for (number, tpm) in machines.enumerated() { try await traffic.enrol(tpm, "node-\(number)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, tpm) in machines.enumerated() {
                group.addTask { try await traffic.attest(tpm, "node-\(number)") }
            }
            group.addTask { try await traffic.enrolMany() }
            group.addTask { await traffic.withdraw() }
            for _ in 0..<killCount { try await killOne() }
            group.cancelAll()
            try await group.waitForAll()
        }
        for replica in replicas { try #require(try await replica.isReady(), "\(replica.log)") }
        return traffic.heard.now
    }

    /// Mostly a verifier that works; now and then one that has not begun to, or is just beginning.
    private func killOne() async throws {
        let replica = replicas.randomElement() ?? replicas[0]
        if Int.random(in: 0..<4) > 0 { try #require(try await replica.isReady(), "\(replica.log)") }
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...300)))
        replica.kill()
        try replica.start()
    }

    /// Holds what was acknowledged against what the database says, and ends the verifiers.
    func audit(_ heard: Acknowledgements.Content) async throws {
        let database = try await database.open(timeout: 5, maximumConnectionCount: 2)
        try await heard.audit(database, client)
        let ending = try await Program("carnet").run([
            "audit", "verify", "--verifier", "http://127.0.0.1:\(client.port)", "--plain-http", "--token-file",
            replicas[0].tokenFile,
        ])
        #expect(ending.status == 0, "\(ending.text) \(ending.errors)")
        for replica in replicas {
            #expect(replica.stop() == 0)
            #expect(!replica.log.contains("Fatal error"))
        }
    }
}
