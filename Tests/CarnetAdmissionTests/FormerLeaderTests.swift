@testable import CarnetAdmission
import Fixtures
import HTTPTypes
import KubernetesHarness
import Logging
import Testing
import VerifierHarness

@testable import KubernetesAPI

/// Between the moment in which a lead ends and the one in which its work is told so, the work asks before it writes.
@Suite("Former leaders", .serialized, .timeLimit(.minutes(5))) struct FormerLeaderTests {
    @Test("An approver that leads no longer looks, and writes nothing") func approver() async throws {
        try await GateScene.withDouble { scene, double in
            let configuration = try await scene.configuration("one"), files = try AdmissionFiles(configuration)
            let events = EventRecorder(files.client, identity: "one", now: configuration.now)
            let approver = Approver(
                client: files.client, rules: files.rules, trust: files.trust,
                addresses: AddressBook(files.client, failed: { _ in }), metrics: AdmissionMetrics(),
                logger: configuration.logger, now: configuration.now, writeSeconds: 5, needsNews: {})
            let former = Leadership(until: .now - .seconds(1), now: { .now })
            let running = Task { await approver.run(former, events: events, news: AsyncStream { _ in }) }
            try await scene.ask("good", try scene.text("node-a", showing: scene.passport("node-a")))
            let hasLooked = try await eventually {
                double.requests.contains { $0.verb == "get" && $0.resource == "certificatesigningrequests" }
            }
            #expect(hasLooked)
            let start = ContinuousClock.now
            #expect(try await eventually { ContinuousClock.now - start > .seconds(1) })
            #expect(try await scene.said("good").isEmpty)
            #expect(!double.requests.contains { $0.resource == "certificatesigningrequests/approval" })
            running.cancel()
            await running.value
        }
    }
}
