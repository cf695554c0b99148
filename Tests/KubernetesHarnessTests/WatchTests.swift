import HTTPTypes
import KubernetesHarness
import Testing

/// Watches: the same on the double and on the real server.
@Suite struct WatchTests {
    @Test("A watch tells every change after its version, in order") func order() async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        let path = "/api/v1/namespaces/\(namespace)/configmaps"
        let begin = try await cluster.call(.get, path).json.version
        try await cluster.configMap("a", in: namespace)
        try await cluster.watch(path + "?watch=true&resourceVersion=\(begin)&timeoutSeconds=60") { events in
            #expect(events.status == 200)
            try await cluster.configMap("b", in: namespace)
            _ = try await cluster.call(.patch, path + "/a", ["data": ["x": "1"]])
            _ = try await cluster.call(.delete, path + "/b")
            try await cluster.configMap("b", in: namespace)
            var told: [String] = [], versions: [Int] = []
            while told.count < 5, let event = try await events.next() {
                guard let object = event["object"], object.name != "kube-root-ca.crt" else { continue }
                told.append("\(event["type"]?.string ?? "") \(object.name)")
                versions.append(object.versionNumber)
                #expect(object["kind"] == "ConfigMap" && object["apiVersion"] == "v1")
                if event["type"] == "MODIFIED" { #expect(object["data"] == ["x": "1"]) }
            }
            #expect(told == ["ADDED a", "ADDED b", "MODIFIED a", "DELETED b", "ADDED b"])
            #expect(versions == versions.sorted() && Set(versions).count == 5, "\(versions)")
        }
    }

    @Test("A watch without a version tells first what is there") func present() async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        try await cluster.configMap("a", in: namespace, labels: ["mine": "1"])
        let path = "/api/v1/namespaces/\(namespace)/configmaps?watch=true&timeoutSeconds=60&labelSelector=mine"
        for version in ["", "&resourceVersion=0"] {
            try await cluster.watch(path + version) { events in
                let first = try await events.nextName()
                #expect(first == "ADDED a")
            }
        }
    }

    @Test("An object that comes to be selected is added, and one that no longer is, deleted") func selected()
        async throws
    {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        let path = "/api/v1/namespaces/\(namespace)/configmaps"
        let begin = try await cluster.configMap("a", in: namespace).version
        let query = "?watch=1&resourceVersion=\(begin)&timeoutSeconds=60&labelSelector=mine"
        try await cluster.watch(path + query) { events in
            for labels in [["mine": "1"], ["mine": .null], ["mine": "2"]] as [HarnessJSON] {
                _ = try await cluster.call(.patch, path + "/a", ["metadata": ["labels": labels]])
            }
            for expected in ["ADDED a", "DELETED a", "ADDED a"] {
                let told = try await events.nextName()
                #expect(told == expected)
            }
        }
    }

    @Test("A watch ends when its time is over, and a bookmark before that tells how far it came") func bookmarks()
        async throws
    {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        let path = "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases"
        let made = try await cluster.call(.post, path, ["metadata": ["name": "a"]]).json
        let query = "?watch=true&allowWatchBookmarks=true&timeoutSeconds=5&resourceVersion="
        var bookmark: HarnessJSON?
        // A real server looks only now and then whom it owes a bookmark, and can be late.
        for _ in 0..<6 where bookmark == nil {
            bookmark = try await cluster.watch(path + query + made.version) { events in
                var last: HarnessJSON?
                while let event = try await events.next() { last = event }
                return last
            }
        }
        // It promises none: on a busy machine the look comes after the watch's end, time and again.
        if bookmark != nil || !TestCluster.isReal {
            #expect(bookmark?["type"] == "BOOKMARK" && bookmark?["object"]?["kind"] == "Lease")
            #expect(bookmark?["object"]?.versionNumber ?? 0 >= made.versionNumber)
        }
        // Without being asked for there is none.
        try await cluster.watch(path + "?watch=true&timeoutSeconds=3&resourceVersion=" + made.version) { events in
            let more = try await events.next()
            #expect(more == nil)
        }
    }

    @Test("The API can be away, and comes back with all that it knew", .timeLimit(.minutes(5))) func outage()
        async throws
    {
        try await TestCluster.with { cluster in
            let made = try await cluster.node("node-1")
            try await cluster.watch(TestCluster.nodes + "?watch=true&resourceVersion=" + made.version) { events in
                await cluster.pause()
                // It may end in order or by the connection's end.
                let told = (try? await events.next()) ?? nil
                #expect(told == nil)
            }
            await #expect(throws: (any Error).self) { try await cluster.call(.get, TestCluster.nodes) }
            try await cluster.resume()
            #expect(try await cluster.call(.get, TestCluster.nodes + "/node-1").json.version == made.version)
        }
    }

    @Test("A watch from a past that is forgotten is told so", .timeLimit(.minutes(5))) func gone() async throws {
        try await TestCluster.with { cluster in
            let made = try await cluster.node("node-1")
            try await cluster.node("node-2")
            try await cluster.node("node-3")
            try await cluster.forgetThePast()
            let path = TestCluster.nodes + "?watch=true&timeoutSeconds=60&resourceVersion="
            try await cluster.watch(path + made.version) { events in
                #expect(events.status == 200)
                let event = try await events.next()
                #expect(event?["type"] == "ERROR" && event?["object"]?["kind"] == "Status", "\(event?.text ?? "")")
                #expect(event?["object"]?["code"] == 410 && event?["object"]?["reason"] == "Expired")
                let message = event?["object"]?["message"]?.string ?? ""
                #expect(message.hasPrefix("too old resource version: \(made.version) ("), "\(message)")
                let more = try await events.next()
                #expect(more == nil)
            }
            let now = try await cluster.call(.get, TestCluster.nodes).json.version
            try await cluster.watch(path + now) { events in
                try await cluster.node("node-4")
                let name = try await events.nextName()
                #expect(name == "ADDED node-4")
            }
        }
    }
}
