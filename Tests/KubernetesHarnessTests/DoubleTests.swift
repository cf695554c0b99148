import Cryptography
import Foundation
import HTTPTypes
import KubernetesHarness
import Testing

/// What only the double can do, and what it has to bear.
@Suite struct DoubleTests {
    private func with(
        _ options: ClusterDouble.Options = ClusterDouble.Options(),
        _ body: (TestCluster, ClusterDouble) async throws -> Void
    ) async throws {
        let (cluster, double) = try await TestCluster.startDouble(options)
        do {
            try await body(cluster, double)
            await cluster.stop()
        } catch {
            await cluster.stop()
            throw error
        }
    }

    @Test("Faults happen to the requests they are for, as often as was said") func faults() async throws {
        try await with { cluster, double in
            double.fault(.status(429, retryAfter: 3), times: 2) { $0.resource == "nodes" && $0.verb == "list" }
            for _ in 0..<2 {
                let answer = try await cluster.call(.get, TestCluster.nodes)
                #expect(answer.status == 429 && answer.reason == "TooManyRequests")
                #expect(answer.headers["retry-after"] == "3")
                #expect(try await cluster.call(.get, "/api/v1/namespaces").status == 200)
            }
            #expect(try await cluster.call(.get, TestCluster.nodes).status == 200)
            double.fault(.close)
            await #expect(throws: (any Error).self) { try await cluster.call(.get, TestCluster.nodes) }
            // What was asked for is done, and nobody hears of it.
            double.fault(.loseAnswer) { $0.verb == "create" }
            await #expect(throws: (any Error).self) { try await cluster.node("lost") }
            #expect(try await cluster.call(.get, TestCluster.nodes + "/lost").status == 200)
            double.fault(.status(500, retryAfter: nil), times: 9)
            double.clearFaults()
            #expect(try await cluster.call(.get, TestCluster.nodes).status == 200)
        }
    }

    @Test("Requests are written down") func requests() async throws {
        try await with { cluster, double in
            double.clearRequests()
            _ = try await cluster.call(.get, "/api/v1/nodes/a/status?x=1", as: .stranger)
            _ = try await cluster.call(.get, "/healthz")
            let requests = double.requests
            #expect(requests.map(\.verb) == ["get", "get"] && requests.map(\.resource) == ["nodes/status", ""])
            #expect(requests[0].name == "a" && requests[0].user == "stranger@example.org")
            #expect(requests[0].path == "/api/v1/nodes/a/status?x=1")
        }
    }

    @Test("What happened can be forgotten: watches and pages begin anew") func compaction() async throws {
        try await with { cluster, double in
            let first = try await cluster.node("a").version
            try await cluster.node("b")
            try await cluster.node("c")
            let page = try await cluster.call(.get, TestCluster.nodes + "?limit=1").json
            let token = page["metadata"]?["continue"]?.string ?? ""
            double.compact()
            let rest = try await cluster.call(.get, TestCluster.nodes + "?limit=1&continue=" + token)
            #expect(rest.status == 410 && rest.reason == "Expired")
            let event = try await cluster.watch(
                TestCluster.nodes + "?watch=true&timeoutSeconds=30&resourceVersion=" + first
            ) {
                try await $0.next()
            }
            #expect(event?["type"] == "ERROR" && event?["object"]?["code"] == 410)
            let now = try await cluster.call(.get, TestCluster.nodes).json.version
            try await cluster.watch(TestCluster.nodes + "?watch=true&timeoutSeconds=30&resourceVersion=" + now) {
                events in
                try await cluster.node("d")
                let name = try await events.nextName()
                #expect(name == "ADDED d")
            }
        }
    }

    @Test("Watches can be ended, and one that its client left is ended") func endings() async throws {
        try await with { cluster, double in
            try await cluster.watch(TestCluster.nodes + "?watch=true") { events in
                #expect(double.watchCount == 1)
                double.endWatches(of: "leases")
                try await cluster.node("a")
                let first = try await events.nextName()
                double.endWatches(of: "nodes")
                let end = try await events.next()
                #expect(first == "ADDED a" && end == nil)
            }
            try await cluster.watch(TestCluster.nodes + "?watch=true&timeoutSeconds=600") { events in
                let first = try await events.nextName()
                #expect(first == "ADDED a")
            }
            #expect(try await cluster.comes { double.watchCount == 0 })
        }
    }

    @Test("It behaves as the old release where it is told to") func oldRelease() async throws {
        var options = ClusterDouble.Options()
        options.version = .debian12
        options.signs = false
        try await with(options) { cluster, _ in
            #expect(try await cluster.call(.get, "/version").json["minor"] == "20")
            let pem = try CertificationRequest.make("system:node:a", for: PrivateKey.generate())
            let object = CertificationRequest.object("csr-1", pem, expirationSeconds: 10)
            let made = try await cluster.call(.post, TestCluster.requests, object)
            #expect(made.status == 201)
            #expect(try made.json["spec"]?["expirationSeconds"] == nil)
        }
    }

    @Test("It bears 5,000 nodes and their changes, and ten watches of them") func many() async throws {
        try await with { cluster, _ in
            let count = 5000
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for worker in 0..<16 {
                    tasks.addTask {
                        for number in stride(from: worker, to: count, by: 16) {
                            try await cluster.node(
                                "node-\(number)", labels: ["kubernetes.io/hostname": "node-\(number)"])
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            let list = try await cluster.call(.get, TestCluster.nodes).json
            #expect(list["items"]?.elements.count == count)
            let path = TestCluster.nodes + "?watch=true&resourceVersion=" + list.version
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                for _ in 0..<10 {
                    tasks.addTask {
                        try await cluster.watch(path) { events in
                            var seen = 0
                            while seen < 1000, try await events.next() != nil { seen += 1 }
                            return seen
                        }
                    }
                }
                for number in 0..<1000 {
                    let patch: HarnessJSON = ["metadata": ["labels": ["round": "1"]]]
                    _ = try await cluster.call(.patch, TestCluster.nodes + "/node-\(number)", patch)
                }
                for try await seen in tasks { #expect(seen == 1000) }
            }
        }
    }

    @Test("It bears 1,000 requests that are approved and signed at once") func manyRequests() async throws {
        try await with { cluster, _ in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for worker in 0..<16 {
                    tasks.addTask {
                        for number in stride(from: worker, to: 1000, by: 16) {
                            let pem = try CertificationRequest.make(
                                "system:node:n\(number)", for: PrivateKey.generate())
                            let path = TestCluster.requests + "/csr-\(number)/approval"
                            let object = CertificationRequest.object("csr-\(number)", pem)
                            let made = try await cluster.call(.post, TestCluster.requests, object, as: .bootstrap)
                            #expect(made.status == 201, "\(made.text)")
                            let approval: HarnessJSON = [
                                "status": ["conditions": [["type": "Approved", "status": "True", "reason": "Test"]]]
                            ]
                            #expect(try await cluster.call(.patch, path, approval).status == 200)
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(
                try await cluster.comes {
                    try await cluster.call(.get, TestCluster.requests).json["items"]?.elements
                        .allSatisfy { $0["status"]?["certificate"] != nil } == true
                })
        }
    }

    @Test("A kubeconfig holds what a client needs") func kubeconfig() async throws {
        try await with { cluster, _ in
            for user in [ClusterUser.admin, .node("a"), .serviceAccount("default", "gate"), .anonymous] {
                let file = try await cluster.kubeconfig(for: user)
                let config = try HarnessJSON(parsing: Array(Data(contentsOf: URL(filePath: file))))
                #expect(config["clusters"]?.elements.first?["cluster"]?["server"]?.string == cluster.url)
                let entry = config["users"]?.elements.first?["user"]
                switch user.proof {
                case .certificate: #expect(entry?["client-key-data"] != nil && entry?["token"] == nil)
                case .none: #expect(entry == [:])
                default: #expect(entry?["token"]?.string == (try await cluster.token(for: user)))
                }
            }
        }
    }
}
