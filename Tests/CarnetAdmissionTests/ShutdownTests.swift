import CarnetAdmission
import CarnetService
import Fixtures
import HTTPTypes
import KubernetesHarness
import Logging
import ServiceHarness
import ServiceLifecycle
import Testing

/// What a replica does from the request to stop until it ends.
@Suite("Shutdown of the gate", .serialized, .timeLimit(.minutes(5))) struct ShutdownTests {
    private static let lease = "/apis/coordination.k8s.io/v1/namespaces/carnet/leases/carnet-admission"

    @Test("Asked to stop, it gives the lead back at once and decides nothing, while it still answers") func drain()
        async throws
    {
        try await GateScene.withDouble { scene, _ in
            let configuration = try await scene.configuration("one") { configuration in
                configuration.gates = [.approver, .webhook]
                configuration.serviceLimits.drainSeconds = 600
            }
            let (ports, announce) = AsyncStream<Int>.makeStream()
            let gate = try AdmissionGate(configuration, onListening: { announce.yield($0) })
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let group = ServiceGroup(services: [gate], logger: logger)
            let running = Task { try await group.run() }
            let client = ServiceClient(port: try #require(await ports.first { _ in true }))
            #expect(try await eventually { scene.log.text.contains { $0.contains("this replica leads") } })
            await group.triggerGracefulShutdown()
            #expect(try await eventually { scene.log.text.contains { $0.contains("leads no longer") } })
            let holder = try await scene.cluster.call(.get, Self.lease).json["spec"]?["holderIdentity"]?.string
            #expect(holder?.isEmpty != false)
            try await scene.ask("good", try scene.text("node-a", showing: scene.passport("node-a")))
            let start = ContinuousClock.now
            #expect(try await eventually { ContinuousClock.now - start > .seconds(2) })
            #expect(try await scene.said("good").isEmpty)
            // Another goes on meanwhile.
            try await scene.gate("two", { $0.gates = [.approver] }) { (_: ServiceClient) async throws in
                #expect(try await scene.comes("good", GateScene.approved))
                #expect(try await client.call(.get, "/livez").status == 200)
                #expect(try await client.call(.get, "/readyz").status == 503)
                #expect(try await client.send(.post, "/validate/nodes", "{}").status == 400)
            }
            running.cancel()
            _ = await running.result
        }
    }
}
