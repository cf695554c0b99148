@testable import CarnetAdmission
import Fixtures
import HTTPTypes
import KubernetesHarness
import NodeAdmission
import Testing
import VerifierHarness

@testable import KubernetesAPI

/// One write of the gate's marks, and what may happen to its node meanwhile.
@Suite("Writing on nodes", .serialized, .timeLimit(.minutes(5))) struct NodeWriterTests {
    private static let leads = Leadership(until: .now + .seconds(3600), now: { .now })
    private static let led = Leadership(until: .now - .seconds(1), now: { .now })

    /// A node that was attested once, and the marks of one that is withdrawn.
    private func scene(
        _ leadership: Leadership,
        _ body: @Sendable (GateScene, ClusterDouble, NodeWriter, NodeView, TaintPlan.Marks) async throws -> Void
    ) async throws {
        try await GateScene.withDouble { scene, double in
            try await scene.makeNode("node-a", passport: scene.passport("node-a"))
            let client = try KubernetesClient(try await scene.configuration("one").cluster), clock = scene.clock
            let view = NodeView(try await client.get(.nodes, "node-a"))
            let situation = NodeSituation(view, .revoked, isExempt: false)
            let marks = try #require(TaintPlan([situation], TaintLimits(), at: clock.now).marks["node-a"])
            let writer = NodeWriter(client: client, leadership: leadership, now: { clock.now }, writeSeconds: 5)
            double.clearRequests()
            try await body(scene, double, writer, view, marks)
            await client.close()
        }
    }

    private func word(_ outcome: NodeWriter.Outcome) -> String {
        switch outcome {
        case .written: "written"
        case .shortened: "shortened"
        case .changed: "changed"
        case .gone: "gone"
        case .lost: "lost"
        case .failed(let error): "failed: \(error)"
        }
    }

    @Test("Who leads writes, and who leads no longer does not") func leads() async throws {
        try await scene(Self.led) { scene, double, writer, view, marks in
            #expect(word(await writer.write(marks, on: view)) == "lost")
            #expect(!double.requests.contains { $0.verb == "patch" })
        }
        try await scene(Self.leads) { scene, _, writer, view, marks in
            #expect(word(await writer.write(marks, on: view)) == "written")
            let written = try await scene.marks("node-a")
            #expect(written == "NoSchedule=revoked False:Revoked")
        }
    }

    @Test("A node that shows another passport by now is judged anew, unless it does so all the time") func passport()
        async throws
    {
        try await scene(Self.leads) { scene, double, writer, view, marks in
            try await scene.show(scene.passport("node-a", age: 1), on: "node-a")
            double.clearRequests()
            #expect(word(await writer.write(marks, on: view)) == "changed")
            #expect(!double.requests.contains { $0.verb == "patch" })
            #expect(word(await writer.write(marks, on: view, insists: true)) == "written")
        }
    }

    @Test("Another node of the same name is not the one that was judged") func another() async throws {
        try await scene(Self.leads) { scene, double, writer, view, marks in
            _ = try await scene.cluster.call(.delete, GateScene.nodes + "/node-a")
            #expect(word(await writer.write(marks, on: view)) == "gone")
            try await scene.makeNode("node-a", passport: scene.passport("node-a"))
            double.clearRequests()
            let again = NodeView(try await writer.client.get(.nodes, "node-a"))
            #expect(again.uid != view.uid)
            #expect(word(await writer.write(marks, on: view, insists: true)) == "gone")
            #expect(!double.requests.contains { $0.verb == "patch" })
        }
    }

    @Test("A node that changes between each look and each write is tainted in the end") func restless() async throws {
        try await scene(Self.leads) { scene, double, writer, view, marks in
            // Each write of the gate waits until the kubelet has written some times.
            double.fault(.delay(.milliseconds(400)), times: 1000) {
                $0.verb == "patch" && $0.user.hasSuffix("carnet-admission") && $0.resource == "nodes"
            }
            let kubelet = Task {
                var beat = 0
                while !Task.isCancelled {
                    beat += 1
                    _ = try? await scene.cluster.call(
                        .patch, GateScene.nodes + "/node-a",
                        ["metadata": ["annotations": ["example.org/beat": "\(beat)"]]], as: .node("node-a"))
                }
            }
            _ = await writer.write(marks, on: view)
            let written = try await scene.marks("node-a")
            #expect(written.hasPrefix("NoSchedule=revoked"))
            kubelet.cancel()
            _ = await kubelet.value
        }
    }

    @Test("What the server does not take is cut short once it has refused some times, and at once when it is too large")
    func shortened() async throws {
        for (status, shortens, expected) in [
            (500, false, "failed"), (500, true, "shortened"), (413, false, "shortened"),
        ] {
            try await scene(Self.leads) { scene, double, writer, view, marks in
                double.fault(.status(status, retryAfter: nil)) { $0.verb == "patch" && $0.resource == "nodes" }
                #expect(word(await writer.write(marks, on: view, shortens: shortens)).hasPrefix(expected))
                let written = try await scene.marks("node-a")
                #expect(written == (expected == "failed" ? "label" : "NoSchedule=revoked"))
                let node = try await scene.cluster.call(.get, GateScene.nodes + "/node-a").json
                let isShown = node["metadata"]?["annotations"]?[NodeMark.passport] != nil
                #expect(isShown == (expected == "failed"))
            }
        }
    }
}
