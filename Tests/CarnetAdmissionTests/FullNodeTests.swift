import CarnetAdmission
import CarnetResult
import Fixtures
import HTTPTypes
import KubernetesHarness
import ServiceHarness
import Testing
import VerifierHarness

/// Nodes whose own kubelets fill them until the API server takes nothing more. Only a double has a limit that is met quickly.
@Suite("Controller and full nodes", .serialized, .timeLimit(.minutes(10))) struct FullNodeTests {
    private static let measured: @Sendable (inout AdmissionConfiguration) -> Void = { configuration in
        configuration.gates = [.controller]
        configuration.servesMetrics = true
    }

    /// A kubelet that lets its node grow by as much as the API server takes, and never shrink.
    private struct Filler {
        let scene: GateScene
        let node: String
        var count = 0
        var step = 8192

        /// Tries once more.
        mutating func grow() async throws {
            let text = String(repeating: "x", count: count + step)
            let answer = try await scene.cluster.call(
                .patch, GateScene.nodes + "/\(node)/status",
                ["status": ["images": [["names": [.string(text)], "sizeBytes": 1]]]], as: .node(node))
            if answer.status == 200 { count += step } else { step /= 2 }
        }

        /// Grows until there is no room for another byte.
        mutating func fill() async throws {
            while step > 0 { try await grow() }
            step = 1
        }
    }

    private func reasons(_ scene: GateScene) async throws -> Set<String> {
        let events = try await scene.cluster.call(.get, "/api/v1/namespaces/default/events").json
        return Set((events["items"]?.elements ?? []).compactMap { $0["reason"]?.string })
    }

    @Test("A node that fills itself, again and again, is tainted and loses its pods all the same")
    func full() async throws {
        try await GateScene.withDouble(objectByteCount: 20_000) { scene, _ in
            try await scene.makeNode("bad", passport: scene.passport("bad", status: .contraindicated))
            var filler = Filler(scene: scene, node: "bad")
            try await filler.fill()
            let filling = Task { [filler] in
                var filler = filler
                while !Task.isCancelled { try? await filler.fill() }
            }
            try await scene.gate("one", Self.measured) { (client: ServiceClient) async throws in
                #expect(try await eventually { try await scene.marks("bad").hasPrefix("NoSchedule=revoked") })
                #expect(try await !scene.marks("bad").contains("label"))
                scene.clock.advance(by: 300)
                // In one short taint, or in full: the passport that went has left some room, for whoever takes it first.
                #expect(try await eventually { try await scene.marks("bad").contains("NoExecute=") })
                #expect(scene.log.text.contains { $0.contains("leaves no room") })
                #expect(try await eventually { try await reasons(scene).contains("MarksRefused") })
                filling.cancel()
                _ = await filling.value
                // It is empty again, and good: everything is as it should be.
                let emptied = try await scene.cluster.call(
                    .patch, GateScene.nodes + "/bad/status", ["status": ["images": .null]], as: .node("bad"))
                #expect(emptied.status == 200, "\(emptied.text)")
                try await scene.show(scene.passport("bad"), on: "bad")
                #expect(try await scene.becomes("bad", GateScene.good))
                #expect(
                    try await eventually {
                        try await client.call(.get, "/metrics").text.contains("carnet_admission_refused_marks_nodes 0")
                    })
            }
            filling.cancel()
        }
    }

    @Test("A node whose passport ran out is held back and put off too when it is full") func lapsed() async throws {
        try await GateScene.withDouble(objectByteCount: 20_000) { scene, _ in
            try await scene.makeNode("late", passport: scene.passport("late", age: 1000))
            var filler = Filler(scene: scene, node: "late")
            try await filler.fill()
            try await scene.gate("one", Self.measured) { (client: ServiceClient) async throws in
                #expect(try await eventually { try await scene.marks("late").hasPrefix("NoSchedule=lapsed") })
                #expect(
                    try await eventually {
                        try await client.call(.get, "/metrics").text.contains("carnet_admission_refused_marks_nodes 1")
                    })
                scene.clock.advance(by: 3600)
                #expect(try await eventually { try await scene.marks("late").hasPrefix("NoExecute=lapsed") })
            }
        }
    }

    @Test(
        "When not even a short taint is taken, people are told, once; when it is taken, the node has it",
        arguments: [413, 500])
    func refused(status: Int) async throws {
        try await GateScene.withDouble { scene, double in
            try await scene.makeNode("bad", passport: scene.passport("bad", status: .contraindicated))
            double.fault(.status(status, retryAfter: nil), times: 1_000_000) {
                $0.verb == "patch" && $0.resource == "nodes"
            }
            try await scene.gate("one", Self.measured) { (client: ServiceClient) async throws in
                #expect(try await eventually { scene.log.text.contains { $0.contains("a node cannot be tainted") } })
                #expect(try await eventually { try await reasons(scene).contains("MarksRefused") })
                #expect(
                    try await eventually {
                        try await client.call(.get, "/metrics").text.contains("carnet_admission_refused_marks_nodes 1")
                    })
                double.clearFaults()
                #expect(try await eventually { try await scene.marks("bad").hasPrefix("NoSchedule=") })
                #expect(scene.log.text.count { $0.contains("a node cannot be tainted") } == 1)
            }
        }
    }

    @Test("A server that refuses whole marks for a reason that nobody knows gets short ones in the end")
    func unknownReason()
        async throws
    {
        try await GateScene.withDouble { scene, double in
            try await scene.makeNode("bad", passport: scene.passport("bad", status: .contraindicated))
            double.fault(.status(500, retryAfter: nil), times: 4) { $0.verb == "patch" && $0.resource == "nodes" }
            try await scene.gate("one", Self.measured) { (_: ServiceClient) async throws in
                #expect(try await eventually { try await scene.marks("bad").hasPrefix("NoSchedule=revoked") })
                #expect(scene.log.text.contains { $0.contains("leaves no room") })
            }
        }
    }

    @Test("A node that shows another passport whenever it is to be tainted is tainted all the same") func restless()
        async throws
    {
        try await GateScene.withDouble { scene, double in
            try await scene.makeNode("bad", passport: scene.passport("bad", status: .contraindicated))
            // The gate looks at the node again before it writes: each time it finds another passport.
            double.fault(.delay(.milliseconds(300)), times: 1_000_000) {
                $0.verb == "get" && $0.resource == "nodes" && $0.user.hasSuffix("carnet-admission")
            }
            let showing = Task {
                while !Task.isCancelled {
                    try? await scene.show(scene.passport("bad", status: .contraindicated), on: "bad")
                }
            }
            try await scene.gate("one", Self.measured) { (_: ServiceClient) async throws in
                #expect(
                    try await eventually { try await scene.marks("bad").hasPrefix("NoSchedule=contraindicated") })
            }
            showing.cancel()
            _ = await showing.value
        }
    }
}
