import Fixtures
import HTTPTypes
import KubernetesAPI
import KubernetesHarness
import Synchronization
import Testing

/// Who leads, and for how long.
@Suite("Leader election", .timeLimit(.minutes(5))) struct LeaderElectionTests {
    /// A replica that notes when it leads.
    private final class Replica: Sendable {
        let name: String
        private let lead = Mutex<Leadership?>(nil)
        private let count = Mutex(0)
        private let task = Mutex<Task<Void, Never>?>(nil)

        init(_ name: String) { self.name = name }

        var holds: Bool { lead.withLock { $0?.holds ?? false } }
        var leadership: Leadership? { lead.withLock(\.self) }
        var terms: Int { count.withLock(\.self) }

        func start(_ cluster: TestCluster, _ namespace: String, seconds: Int64 = 3) async throws {
            let election = LeaderElection(
                try await ClientTests.client(cluster),
                .init(namespace: namespace, name: "gate", identity: name, duration: .seconds(seconds)))
            let running = Task {
                await election.run { leadership in
                    self.lead.withLock { $0 = leadership }
                    self.count.withLock { $0 += 1 }
                    try? await Task.sleep(for: .seconds(3600))
                }
            }
            task.withLock { $0 = running }
        }

        func stop() async {
            let running = task.withLock(\.self)
            running?.cancel()
            await running?.value
        }
    }

    @Test("One leads; when it stops, the other need not wait; and never do both") func handover() async throws {
        try await TestCluster.with { cluster in
            let namespace = try await cluster.namespace(), first = Replica("first"), second = Replica("second")
            try await first.start(cluster, namespace)
            #expect(try await eventually { first.holds })
            try await second.start(cluster, namespace)
            let observed = Mutex(false)
            let observer = Task {
                while !Task.isCancelled {
                    if first.holds, second.holds { observed.withLock { $0 = true } }
                    try? await Task.sleep(for: .milliseconds(5))
                }
            }
            // For longer than a lease lasts by itself.
            let start = ContinuousClock.now
            #expect(try await eventually { ContinuousClock.now - start > .seconds(4) })
            #expect(first.holds && !second.holds && first.terms == 1)
            await first.stop()
            #expect(!first.holds)
            #expect(try await eventually { second.holds })
            observer.cancel()
            let both = observed.withLock { $0 }
            #expect(!both)
            let lease = try await cluster.call(
                .get, "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases/gate"
            ).json
            #expect(lease["spec"]?["holderIdentity"]?.string == "second")
            await second.stop()
        }
    }

    @Test("A leader that cannot renew stops by itself, before another may begin") func lost() async throws {
        let (cluster, double) = try await TestCluster.startDouble()
        let namespace = try await cluster.namespace(), replica = Replica("one")
        try await replica.start(cluster, namespace)
        #expect(try await eventually { replica.holds })
        let leadership = try #require(replica.leadership)
        double.fault(.status(500, retryAfter: nil), times: 1_000_000) { $0.resource == "leases" }
        let start = ContinuousClock.now
        #expect(try await eventually { !leadership.holds })
        #expect(ContinuousClock.now - start < .seconds(3))
        #expect(throws: Leadership.Lost.self) { try leadership.check() }
        double.clearFaults()
        #expect(try await eventually { replica.holds && replica.terms == 2 })
        #expect(!leadership.holds)
        await replica.stop()
        await cluster.stop()
    }

    @Test("A holder that is silent is waited for, and no longer than its lease") func silent() async throws {
        let (cluster, _) = try await TestCluster.startDouble()
        let namespace = try await cluster.namespace()
        let lease = try await cluster.call(
            .post, "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases",
            [
                "metadata": ["name": "gate"],
                "spec": [
                    "holderIdentity": "dead", "leaseDurationSeconds": 3,
                    // A clock that is years ahead makes no difference: only what is seen to change counts.
                    "renewTime": "2099-01-01T00:00:00.000000Z", "leaseTransitions": 4,
                ],
            ])
        #expect(lease.status == 201, "\(lease.text)")
        let replica = Replica("next"), start = ContinuousClock.now
        try await replica.start(cluster, namespace)
        #expect(try await eventually { replica.holds })
        #expect(ContinuousClock.now - start >= .seconds(3))
        let taken = try await cluster.call(
            .get, "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases/gate"
        ).json
        #expect(taken["spec"]?["leaseTransitions"]?.integer == 5)
        await replica.stop()
        await cluster.stop()
    }
}
