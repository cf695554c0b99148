import CarnetAdmission
import CarnetResult
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Which nodes keep their place. Passports live 300 seconds, and clocks may differ by 30.
@Suite("Controller", .serialized, .timeLimit(.minutes(10))) struct ControllerTests {
    private static let controllerOnly: @Sendable (inout AdmissionConfiguration) -> Void = { $0.gates = [.controller] }

    @Test("A node shows its passport, keeps its place while it lapses for a while, loses it, and has it back at once")
    func life() async throws {
        try await GateScene.with { scene in
            try await scene.makeNode("node-a", passport: scene.passport("node-a"), label: false)
            try await scene.gate("one", Self.controllerOnly) { (_: ServiceClient) async throws in
                #expect(try await scene.becomes("node-a", GateScene.good))
                scene.clock.advance(by: 340)
                #expect(try await scene.becomes("node-a", "label False:PassportLapsed"))
                scene.clock.advance(by: 600)
                #expect(try await scene.becomes("node-a", "NoSchedule=lapsed False:PassportLapsed"))
                scene.clock.advance(by: 3000)
                #expect(try await scene.becomes("node-a", "NoExecute=lapsed NoSchedule=lapsed False:PassportLapsed"))
                try await scene.show(scene.passport("node-a"), on: "node-a")
                #expect(try await scene.becomes("node-a", GateScene.good))
                #expect(
                    try await eventually {
                        let events = try await scene.cluster.call(.get, "/api/v1/namespaces/default/events").json
                        let reasons = Set((events["items"]?.elements ?? []).compactMap { $0["reason"]?.string })
                        return reasons.isSuperset(of: ["TaintedNoSchedule", "TaintedNoExecute", "TaintLifted"])
                    })
            }
        }
    }

    @Test("A machine that is refused or withdrawn loses its place at once, and what it runs a while later")
    func refused() async throws {
        try await GateScene.with { scene in
            try await scene.makeNode("bad", passport: scene.passport("bad", status: .contraindicated))
            try await scene.makeNode("gone", passport: scene.passport("gone", index: 7))
            try await scene.gate(
                "one",
                { configuration in
                    configuration.gates = [.controller]
                    configuration.limits.maximumTaintedPercent = 100
                },
                { (_: ServiceClient) async throws in
                    #expect(try await scene.becomes("bad", "NoSchedule=contraindicated False:Contraindicated"))
                    #expect(try await scene.becomes("gone", GateScene.good))
                    scene.clock.advance(by: 5)
                    try scene.publish([7: .invalid])
                    #expect(try await scene.becomes("gone", "NoSchedule=revoked False:Revoked"))
                    scene.clock.advance(by: 300)
                    #expect(
                        try await scene.becomes(
                            "bad", "NoExecute=contraindicated NoSchedule=contraindicated False:Contraindicated"))
                    #expect(try await scene.becomes("gone", "NoExecute=revoked NoSchedule=revoked False:Revoked"))
                    try await scene.show(scene.passport("bad"), on: "bad")
                    #expect(try await scene.becomes("bad", GateScene.good))
                })
        }
    }

    @Test(
        "A new node has the taint until it is attested; another machine's passport, or another cluster's, does not lift it"
    )
    func new() async throws {
        try await GateScene.with { scene in
            let taint: HarnessJSON = ["key": "carnet.dev/unattested", "value": "never", "effect": "NoSchedule"]
            try await scene.makeNode("node-a", label: false, taints: [taint])
            try await scene.makeNode("node-b", label: false)
            try await scene.gate("one", Self.controllerOnly) { (_: ServiceClient) async throws in
                #expect(try await scene.becomes("node-a", "NoSchedule=never False:NoPassport"))
                // One that registered without the taint gets it.
                #expect(try await scene.becomes("node-b", "NoSchedule=never False:NoPassport"))
                try await scene.show(scene.passport("node-b"), on: "node-a")
                #expect(try await scene.becomes("node-a", "NoSchedule=never False:PassportNotAccepted"))
                try await scene.show(scene.passport("node-a", audience: "https://other.example"), on: "node-a")
                try await scene.show(Array("no passport".utf8), on: "node-b")
                #expect(try await scene.becomes("node-b", "NoSchedule=never False:PassportNotAccepted"))
                #expect(try await scene.becomes("node-a", "NoSchedule=never False:PassportNotAccepted"))
                try await scene.show(scene.passport("node-a"), on: "node-a")
                #expect(try await scene.becomes("node-a", GateScene.good))
            }
        }
    }

    @Test("Others' taints, labels and conditions stay, also when they change all the time") func others() async throws {
        try await GateScene.with { scene in
            let foreign: HarnessJSON = ["key": "example.org/gpu", "value": "a", "effect": "NoSchedule"]
            try await scene.makeNode("node-a", passport: scene.passport("node-a", age: 1000), taints: [foreign])
            try await scene.gate("one", Self.controllerOnly) { (_: ServiceClient) async throws in
                // A kubelet that tells of its state as fast as it can.
                let kubelet = Task {
                    var beat: Int64 = 0
                    while !Task.isCancelled {
                        beat += 1
                        _ = try? await scene.cluster.call(
                            .patch, GateScene.nodes + "/node-a",
                            ["metadata": ["annotations": ["example.org/beat": .string("\(beat)")]]])
                    }
                }
                #expect(try await scene.becomes("node-a", "NoSchedule=lapsed False:PassportLapsed"))
                try await scene.show(scene.passport("node-a"), on: "node-a")
                #expect(try await scene.becomes("node-a", GateScene.good))
                kubelet.cancel()
                _ = await kubelet.value
                let node = try await scene.cluster.call(.get, GateScene.nodes + "/node-a").json
                #expect(node["spec"]?["taints"]?.elements.contains(foreign) == true)
                #expect(node["metadata"]?["labels"]?["zone"] == "a")
                let conditions = node["status"]?["conditions"]?.elements ?? []
                #expect(conditions.contains { $0["type"] == "Ready" && $0["reason"] == "KubeletReady" })
            }
        }
    }

    @Test("Of many nodes that lapse at once few lose their place, until an operator says that it is right")
    func blastRadius() async throws {
        try await GateScene.with { scene in
            let names = (0..<10).map { "node-\($0)" }
            for (index, name) in names.enumerated() {
                try await scene.makeNode(name, passport: scene.passport(name, age: 2000 - Int64(index)))
            }
            try await scene.gate(
                "one",
                { configuration in
                    configuration.gates = [.controller]
                    configuration.servesMetrics = true
                },
                { (client: ServiceClient) async throws in
                    let held = { try await names.asyncMap(scene.marks).count { $0 == "label False:PassportLapsed" } }
                    let tainted = {
                        try await names.asyncMap(scene.marks).count { $0 == "NoSchedule=lapsed False:PassportLapsed" }
                    }
                    #expect(
                        try await eventually {
                            let count = try await tainted()
                            return try await held() == 8 && count == 2
                        })
                    // Those whose passports ran out first.
                    #expect(try await scene.marks("node-0").hasPrefix("NoSchedule"))
                    #expect(try await scene.marks("node-1").hasPrefix("NoSchedule"))
                    let node = try await scene.cluster.call(.get, GateScene.nodes + "/node-9").json
                    let message =
                        (node["status"]?["conditions"]?.elements ?? [])
                        .first { $0["type"] == "CarnetAttested" }?["message"]?.string ?? ""
                    #expect(message.contains("carnet admission allow-taints --for 1h"), "\(message)")
                    // A gate that loses the lead, as on a busy machine, counts nothing until it leads again.
                    #expect(
                        try await eventually {
                            let metrics = try await client.call(.get, "/metrics").text
                            return metrics.contains("carnet_admission_held_nodes 8")
                                && metrics.contains("carnet_admission_nodes{standing=\"lapsed\"} 10")
                        })
                    // A word for longer than a day is none.
                    let path = "/api/v1/namespaces/carnet/configmaps"
                    let far = RFC3339.format(scene.clock.now + 200_000)
                    let made = try await scene.cluster.call(
                        .post, path, ["metadata": ["name": "carnet-admission"], "data": ["taint-until": .string(far)]])
                    #expect(made.status == 201, "\(made.text)")
                    let start = ContinuousClock.now
                    #expect(try await eventually { ContinuousClock.now - start > .seconds(1) })
                    #expect(try await tainted() == 2)
                    let soon = RFC3339.format(scene.clock.now + 3600)
                    _ = try await scene.cluster.call(
                        .patch, path + "/carnet-admission", ["data": ["taint-until": .string(soon)]])
                    #expect(try await eventually { try await tainted() == 10 })
                    // Recovery asks nobody.
                    for name in names { try await scene.show(scene.passport(name), on: name) }
                    #expect(
                        try await eventually {
                            try await names.asyncMap(scene.marks).allSatisfy { $0 == GateScene.good }
                        })
                })
        }
    }

    @Test("While the verifier is away nodes keep their place for the grace time; a restart does not give it anew")
    func verifierAway() async throws {
        try await GateScene.with { scene in
            let change: @Sendable (inout AdmissionConfiguration) -> Void = { configuration in
                configuration.gates = [.controller]
                configuration.maximumStatusAge = 120
            }
            try await scene.makeNode("node-a", passport: scene.passport("node-a", lifetime: 3600))
            try await scene.gate("one", change) { (_: ServiceClient) async throws in
                #expect(try await scene.becomes("node-a", GateScene.good))
                scene.clock.advance(by: 200)
                #expect(try await scene.becomes("node-a", "label Unknown:CannotBeChecked"))
                scene.clock.advance(by: 500)
            }
            // The next process knows nothing but what is written on the node.
            try await scene.gate("two", change) { (_: ServiceClient) async throws in
                #expect(try await scene.becomes("node-a", "label Unknown:CannotBeChecked"))
                scene.clock.advance(by: 101)
                #expect(try await scene.becomes("node-a", "NoSchedule=lapsed Unknown:CannotBeChecked"))
                try scene.publish()
                #expect(try await scene.becomes("node-a", GateScene.good))
            }
        }
    }

    @Test("A node of the control plane that is exempt is told of, and never tainted") func exempt() async throws {
        try await GateScene.with { scene in
            try await scene.makeNode("control-1", passport: scene.passport("control-1", status: .contraindicated))
            try await scene.gate(
                "one",
                { configuration in
                    configuration.gates = [.controller]
                    configuration.exemptNodes = ["control-1"]
                },
                { (_: ServiceClient) async throws in
                    let becomes = try await scene.becomes("control-1", "label False:Contraindicated")
                    #expect(becomes)
                })
        }
    }

    @Test(
        "Whatever becomes of a write, a node ends as it should",
        arguments: [
            ClusterFault.status(409, retryAfter: nil), .status(429, retryAfter: 1), .status(500, retryAfter: nil),
            .close, .loseAnswer,
        ])
    func faults(fault: ClusterFault) async throws {
        try await GateScene.withDouble { scene, double in
            try await scene.makeNode("node-a", passport: scene.passport("node-a", age: 1000))
            double.fault(fault, times: 2) { $0.verb == "patch" && $0.user.hasSuffix("carnet-admission") }
            try await scene.gate("one", Self.controllerOnly) { (_: ServiceClient) async throws in
                #expect(try await scene.becomes("node-a", "NoSchedule=lapsed False:PassportLapsed"))
                double.endWatches()
                double.fault(.status(410, retryAfter: nil)) { $0.verb == "watch" }
                try await scene.show(scene.passport("node-a"), on: "node-a")
                #expect(try await scene.becomes("node-a", GateScene.good))
            }
        }
    }

    @Test("A lost answer does not let more nodes lose their place than may") func lostAnswers() async throws {
        try await GateScene.withDouble { scene, double in
            let names = (0..<10).map { "node-\($0)" }
            for name in names { try await scene.makeNode(name, passport: scene.passport(name, age: 2000)) }
            double.fault(.loseAnswer, times: 3) { $0.verb == "patch" && $0.resource == "nodes" }
            double.fault(.delay(.milliseconds(1500)), times: 1000) { $0.verb == "watch" }
            try await scene.gate("one", Self.controllerOnly) { (_: ServiceClient) async throws in
                let tainted = { try await names.asyncMap(scene.marks).count { $0.contains("NoSchedule") } }
                #expect(try await eventually { try await tainted() == 2 })
                let start = ContinuousClock.now
                var most = 0
                while ContinuousClock.now - start < .seconds(4) { most = max(most, try await tainted()) }
                #expect(most == 2)
            }
        }
    }

    @Test("A former leader taints nothing") func leaseLost() async throws {
        try await GateScene.withDouble { scene, double in
            try await scene.makeNode("node-a", passport: scene.passport("node-a"))
            try await scene.gate("one", Self.controllerOnly) { (_: ServiceClient) async throws in
                #expect(try await scene.becomes("node-a", GateScene.good))
                double.fault(.status(500, retryAfter: nil), times: 1_000_000) { $0.resource == "leases" }
                #expect(try await eventually { scene.log.text.contains { $0.contains("leads no longer") } })
                double.clearRequests()
                scene.clock.advance(by: 2000)
                let start = ContinuousClock.now
                #expect(try await eventually { ContinuousClock.now - start > .seconds(2) })
                #expect(!double.requests.contains { $0.verb == "patch" && $0.user.hasSuffix("carnet-admission") })
                double.clearFaults()
                #expect(try await scene.becomes("node-a", "NoSchedule=lapsed False:PassportLapsed"))
            }
        }
    }
}
