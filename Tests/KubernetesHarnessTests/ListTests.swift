import HTTPTypes
import KubernetesHarness
import Testing

/// Lists and pages: the same on the double and on the real server.
@Suite struct ListTests {
    @Test("A list is sorted by name, has a version, and its items do not name their kind") func lists() async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        let path = "/api/v1/namespaces/\(namespace)/configmaps"
        for name in ["c", "a", "b"] { try await cluster.configMap(name, in: namespace) }
        let answer = try await cluster.call(.get, path).json
        #expect(answer["kind"] == "ConfigMapList" && answer["apiVersion"] == "v1")
        let items = (answer["items"]?.elements ?? []).filter { $0.name != "kube-root-ca.crt" }
        #expect(items.map(\.name) == ["a", "b", "c"])
        #expect(items.allSatisfy { $0["kind"] == nil && $0["apiVersion"] == nil })
        #expect(answer.versionNumber >= items.map(\.versionNumber).max() ?? .max)
        #expect(
            try await cluster.call(.get, "/api/v1/configmaps").json["items"]?.elements.contains { $0.name == "b" }
                == true)
    }

    @Test("The pages of a list are what was there when the first was read") func pages() async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        let path = "/api/v1/namespaces/\(namespace)/configmaps?labelSelector=page&limit=2"
        for name in ["a", "b", "c", "d", "e"] {
            try await cluster.configMap(name, in: namespace, labels: ["page": "1"])
        }
        let first = try await cluster.call(.get, path).json
        try await cluster.configMap("ba", in: namespace, labels: ["page": "1"])
        try await cluster.configMap("cc", in: namespace, labels: ["page": "1"])
        var names = first["items"]?.elements.map(\.name) ?? []
        var token = first["metadata"]?["continue"]?.string ?? ""
        #expect(names == ["a", "b"] && !token.isEmpty)
        while !token.isEmpty {
            let page = try await cluster.call(.get, path + "&continue=" + token).json
            #expect(page.version == first.version)
            names += page["items"]?.elements.map(\.name) ?? []
            token = page["metadata"]?["continue"]?.string ?? ""
        }
        #expect(names == ["a", "b", "c", "d", "e"])
    }

    @Test("A page tells how many are left") func remaining() async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        let path = "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases"
        for name in ["a", "b", "c"] { _ = try await cluster.call(.post, path, ["metadata": ["name": .string(name)]]) }
        let page = try await cluster.call(.get, path + "?limit=1").json
        #expect(page["metadata"]?["remainingItemCount"] == 2)
        #expect(try await cluster.call(.get, path + "?limit=3").json["metadata"]?["continue"] == nil)
    }

    @Test(
        "Labels and fields select",
        arguments: [
            ("labelSelector=colour%3Dred", ["a", "b"]), ("labelSelector=colour!%3Dred", ["c", "d"]),
            ("labelSelector=colour%20in%20(blue,red),size", ["b", "c"]), ("labelSelector=!colour", ["d"]),
            ("labelSelector=colour%20notin%20(red)", ["c", "d"]), ("fieldSelector=metadata.name%3Dc", ["c"]),
            ("fieldSelector=metadata.name!%3Dc&labelSelector=colour", ["a", "b"]),
        ])
    func selects(_ query: String, _ expected: [String]) async throws {
        let cluster = try await TestCluster.shared()
        let namespace = try await cluster.namespace()
        let path = "/api/v1/namespaces/\(namespace)/configmaps"
        try await cluster.configMap("a", in: namespace, labels: ["colour": "red"])
        try await cluster.configMap("b", in: namespace, labels: ["colour": "red", "size": "1"])
        try await cluster.configMap("c", in: namespace, labels: ["colour": "blue", "size": "2"])
        try await cluster.configMap("d", in: namespace)
        let items = try await cluster.call(.get, path + "?" + query).json["items"]?.elements ?? []
        #expect(items.map(\.name).filter { $0 != "kube-root-ca.crt" } == expected)
    }

    @Test("A field that nobody selects by, and a version that is to come, are refused") func refuses() async throws {
        let cluster = try await TestCluster.shared()
        for query in ["fieldSelector=spec.colour%3Dred", "labelSelector=%3D%3D"] {
            #expect(try await cluster.call(.get, TestCluster.nodes + "?" + query).status == 400, "\(query)")
        }
        let future = try await cluster.call(.get, TestCluster.nodes + "?resourceVersion=999999999")
        #expect(future.status == 504 && future.reason == "Timeout", "\(future.text)")
    }
}
