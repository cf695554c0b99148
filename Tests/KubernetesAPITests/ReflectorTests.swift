import Fixtures
import HTTPTypes
import KubernetesAPI
import KubernetesHarness
import Synchronization
import Testing

/// What is known of all objects of a kind, whatever happens to the watch.
@Suite("Reflector", .timeLimit(.minutes(5))) struct ReflectorTests {
    /// A reflector of nodes' label `x` that runs while `body` does.
    private func reflecting(
        _ cluster: TestCluster, _ body: (Reflector<String>) async throws -> Void
    ) async throws {
        let client = try await ClientTests.client(cluster)
        let reflector = Reflector<String>(client, .nodes, pageSize: 2, project: { $0.labels["x"] ?? "" })
        let running = Task { await reflector.run() }
        defer { running.cancel() }
        #expect(try await eventually { reflector.isSynced })
        try await body(reflector)
    }

    private func node(_ name: String, _ x: String, _ cluster: TestCluster) async throws {
        let answer = try await cluster.call(
            .post, "/api/v1/nodes", ["metadata": ["name": .string(name), "labels": ["x": .string(x)]]])
        #expect(answer.status == 201)
    }

    @Test("It knows what was there, what comes, what changes, and what goes") func follows() async throws {
        try await TestCluster.with { cluster in
            for name in ["a", "b", "c", "d", "e"] { try await node(name, "1", cluster) }
            try await reflecting(cluster) { reflector in
                #expect(reflector.values == ["a": "1", "b": "1", "c": "1", "d": "1", "e": "1"])
                try await node("f", "2", cluster)
                _ = try await cluster.call(.patch, "/api/v1/nodes/a", ["metadata": ["labels": ["x": "3"]]])
                _ = try await cluster.call(.delete, "/api/v1/nodes/b")
                #expect(
                    try await eventually {
                        reflector.values == ["a": "3", "c": "1", "d": "1", "e": "1", "f": "2"]
                    })
            }
        }
    }

    @Test("It says that all is known when all was told of, and not before") func synced() async throws {
        try await TestCluster.with { cluster in
            for name in ["a", "b", "c"] { try await node(name, "1", cluster) }
            let client = try await ClientTests.client(cluster)
            let box = Mutex<Reflector<String>?>(nil), told = Mutex<[Bool]>([])
            let reflector = Reflector<String>(
                client, .nodes, project: { $0.name },
                told: { change in
                    let isSynced = box.withLock(\.self)?.isSynced ?? true
                    switch change {
                    case .present, .gone: told.withLock { $0.append(!isSynced) }
                    case .synced: told.withLock { $0.append(isSynced) }
                    }
                })
            box.withLock { $0 = reflector }
            let running = Task { await reflector.run() }
            #expect(try await eventually { told.withLock { $0.count } == 4 })
            #expect(told.withLock { $0 } == [true, true, true, true])
            running.cancel()
            await running.value
            box.withLock { $0 = nil }
        }
    }

    @Test("A watch that ends, a past that is forgotten and a server that was away lose nothing") func interrupted()
        async throws
    {
        let (cluster, double) = try await TestCluster.startDouble()
        try await node("a", "1", cluster)
        try await reflecting(cluster) { reflector in
            #expect(try await eventually { double.watchCount == 1 })
            double.endWatches()
            try await node("b", "1", cluster)
            #expect(try await eventually { reflector["b"] == "1" })
            #expect(try await eventually { double.watchCount == 1 })
            // The next watch is answered with 410: what went meanwhile is missed by it, and told by the list.
            double.fault(.status(410, retryAfter: nil)) { $0.verb == "watch" }
            double.endWatches()
            _ = try await cluster.call(.delete, "/api/v1/nodes/a")
            double.compact()
            try await node("c", "1", cluster)
            #expect(try await eventually { reflector.values == ["b": "1", "c": "1"] })
            await cluster.pause()
            try await cluster.resume()
            try await node("d", "1", cluster)
            #expect(try await eventually { reflector["d"] == "1" })
            double.fault(.status(500, retryAfter: nil), times: 3) { $0.verb == "watch" || $0.verb == "list" }
            double.endWatches()
            try await node("e", "1", cluster)
            #expect(try await eventually { reflector["e"] == "1" && reflector.fault == nil })
        }
        await cluster.stop()
    }

    @Test("A text that nobody should write hides no other object") func hostile() async throws {
        let (cluster, _) = try await TestCluster.startDouble()
        try await node("a", "1", cluster)
        _ = try await cluster.call(
            .patch, "/api/v1/nodes/a", ["metadata": ["annotations": ["evil": "\u{7F}\u{1}\u{1F}\"\\"]]])
        try await node("b", "1", cluster)
        try await reflecting(cluster) { #expect($0.count == 2) }
        await cluster.stop()
    }
}
