import CarnetAdmission
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import ServiceHarness
import Testing

/// The approver when the API server fails, when it dies, and when there are two. Only a double fails on demand.
@Suite("Approver's faults", .serialized, .timeLimit(.minutes(10))) struct ApproverFaultTests {
    private static let approverOnly: @Sendable (inout AdmissionConfiguration) -> Void = { $0.gates = [.approver] }

    private static func isApproval(_ request: ClusterRequest) -> Bool {
        request.verb == "update" && request.resource == "certificatesigningrequests/approval"
    }

    @Test(
        "Whatever becomes of a write, the request is decided once, and rightly",
        arguments: [
            ClusterFault.status(409, retryAfter: nil), .status(429, retryAfter: 1), .status(500, retryAfter: nil),
            .status(503, retryAfter: 1), .close, .loseAnswer, .delay(.seconds(2)),
        ])
    func faults(fault: ClusterFault) async throws {
        try await GateScene.withDouble { scene, double in
            double.fault(fault, times: 2, where: Self.isApproval)
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                try await scene.ask("good", try scene.text("node-a", showing: scene.passport("node-a")))
                try await scene.ask("bad", try scene.text("node-a", showing: nil))
                #expect(try await scene.comes("good", GateScene.approved))
                #expect(try await scene.comes("bad", "Denied PassportMissing"))
            }
        }
    }

    @Test("A request that somebody denies between reading and approving stays denied") func decidedMeanwhile()
        async throws
    {
        try await GateScene.withDouble { scene, double in
            double.fault(.delay(.seconds(1)), where: Self.isApproval)
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                try await scene.ask("good", try scene.text("node-a", showing: scene.passport("node-a")))
                #expect(try await eventually { double.requests.contains(where: Self.isApproval) })
                var object = try await scene.cluster.call(.get, GateScene.requests + "/good").json
                object["status"] = ["conditions": [["type": "Denied", "status": "True", "reason": "ByHand"]]]
                _ = try await scene.cluster.call(.put, GateScene.requests + "/good/approval", object)
                #expect(try await eventually { double.requests.count(where: Self.isApproval) >= 2 })
                try await scene.ask("next", try scene.text("node-a", showing: scene.passport("node-a")))
                #expect(try await scene.comes("next", GateScene.approved))
                #expect(try await scene.said("good") == "Denied ByHand")
            }
        }
    }

    @Test("A watch that is cut, a past that is forgotten and a server that was away lose no request") func watches()
        async throws
    {
        try await GateScene.withDouble { scene, double in
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                #expect(try await eventually { double.watchCount >= 2 })
                double.endWatches()
                double.fault(.status(410, retryAfter: nil)) { $0.verb == "watch" }
                double.compact()
                try await scene.ask("a", try scene.text("node-a", showing: scene.passport("node-a")))
                #expect(try await scene.comes("a", GateScene.approved))
                await scene.cluster.pause()
                try await scene.cluster.resume()
                try await scene.ask("b", try scene.text("node-b", showing: scene.passport("node-b")))
                #expect(try await scene.comes("b", GateScene.approved))
            }
        }
    }

    @Test("An approver that is killed between reading and approving is followed by another, which decides")
    func killed() async throws {
        try await GateScene.withDouble { scene, double in
            // The first one's write never arrives, and it dies in the middle of it.
            double.fault(.delay(.seconds(5)), where: Self.isApproval)
            let configuration = try await scene.configuration("one", Self.approverOnly)
            let first = Task { try await AdmissionGate(configuration).run() }
            #expect(try await eventually { scene.log.text.contains { $0.contains("this replica leads") } })
            try await scene.ask("good", try scene.text("node-a", showing: scene.passport("node-a")))
            #expect(try await eventually { double.requests.contains(where: Self.isApproval) })
            // No lease is given back by who is dead.
            double.fault(.close, times: 2) { $0.resource == "leases" && $0.verb == "get" }
            first.cancel()
            _ = await first.result
            double.clearFaults()
            try await scene.gate("two", Self.approverOnly) { (_: ServiceClient) async throws in
                let comes = try await scene.comes("good", GateScene.approved)
                #expect(comes)
            }
        }
    }

    @Test("Of two replicas one acts, and the other when it is gone") func replicas() async throws {
        try await GateScene.withDouble { scene, double in
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                #expect(try await eventually { scene.log.text.contains { $0.contains("this replica leads") } })
                try await scene.gate("two", Self.approverOnly) { (_: ServiceClient) async throws in
                    #expect(try await eventually { scene.log.text.contains { $0.contains("another replica leads") } })
                    for index in 0..<20 {
                        let node = "node-\(index)"
                        try await scene.ask(node, try scene.text(node, showing: scene.passport(node)))
                    }
                    for index in 0..<20 { #expect(try await scene.comes("node-\(index)", GateScene.approved)) }
                    #expect(double.requests.count(where: Self.isApproval) == 20)
                }
            }
        }
    }

    @Test("A leader that cannot renew its lease writes nothing any more, and goes on when it can") func leaseLost()
        async throws
    {
        try await GateScene.withDouble { scene, double in
            try await scene.gate("one", Self.approverOnly) { (_: ServiceClient) async throws in
                #expect(try await eventually { scene.log.text.contains { $0.contains("this replica leads") } })
                double.fault(.status(500, retryAfter: nil), times: 1_000_000) { $0.resource == "leases" }
                #expect(try await eventually { scene.log.text.contains { $0.contains("leads no longer") } })
                double.clearRequests()
                try await scene.ask("good", try scene.text("node-a", showing: scene.passport("node-a")))
                let start = ContinuousClock.now
                #expect(try await eventually { ContinuousClock.now - start > .seconds(3) })
                #expect(!double.requests.contains(where: Self.isApproval))
                double.clearFaults()
                #expect(try await scene.comes("good", GateScene.approved))
            }
        }
    }

    /// With `make test-kubernetes` a thousand, otherwise 300: the double and the gate share two processors with other suites.
    @Test("Many requests at once are all decided rightly, some at a time") func many() async throws {
        try await GateScene.withDouble { scene, double in
            let count = ProcessInfo.processInfo.environment["CARNET_REQUESTS"].flatMap { Int($0) } ?? 300
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<8 {
                    group.addTask {
                        for index in stride(from: lane, to: count, by: 8) {
                            let node = "n\(index)"
                            // A third shows no passport, and a third another machine's.
                            let shown = index % 3 == 2 ? "other" : node
                            let passport = index % 3 == 1 ? nil : try scene.passport(shown)
                            try await scene.ask(node, try scene.text(node, showing: passport))
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await scene.gate("one", Self.approverOnly) { (client: ServiceClient) async throws in
                let words = { (index: Int) in
                    ["Approved NodeAttested", "Denied PassportMissing", "Denied MachineIsAnotherNode"][index % 3]
                }
                // A busy machine may need more than a minute.
                let isDecided: @Sendable () -> Bool = { double.requests.count(where: Self.isApproval) >= count }
                if try await !eventually(isDecided) { _ = try await eventually(isDecided) }
                for index in [0, 1, 2, count - 3, count - 2, count - 1] {
                    #expect(try await scene.said("n\(index)") == words(index))
                }
                let answer = try await scene.cluster.call(.get, GateScene.requests).json
                let reasons = (answer["items"]?.elements ?? []).map {
                    $0["status"]?["conditions"]?.elements.first?["reason"]?.string ?? ""
                }
                #expect(reasons.count { $0 == "NodeAttested" } == (count + 2) / 3)
                #expect(reasons.count { $0 == "PassportMissing" } == (count + 1) / 3)
                #expect(reasons.count { $0 == "MachineIsAnotherNode" } == count / 3)
            }
            #expect(double.requests.count(where: Self.isApproval) == count)
        }
    }
}
