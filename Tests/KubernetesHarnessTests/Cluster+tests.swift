import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import Testing

extension TestCluster {
    static let nodes = "/api/v1/nodes"
    static let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests"

    /// A name that no other test uses.
    static func fresh(_ stem: String) -> String { "\(stem)-\(UUID().uuidString.prefix(8).lowercased())" }

    /// Makes a node.
    @discardableResult
    func node(_ name: String = fresh("node"), labels: [String: HarnessJSON] = [:]) async throws -> HarnessJSON {
        let answer = try await call(
            .post, Self.nodes, ["metadata": ["name": .string(name), "labels": .object(labels)]])
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.json
    }

    /// Makes a config map.
    @discardableResult
    func configMap(
        _ name: String, in namespace: String, _ data: [String: HarnessJSON] = [:], labels: [String: HarnessJSON] = [:]
    ) async throws -> HarnessJSON {
        let answer = try await call(
            .post, "/api/v1/namespaces/\(namespace)/configmaps",
            ["metadata": ["name": .string(name), "labels": .object(labels)], "data": .object(data)])
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.json
    }
}

extension HarnessJSON {
    /// `metadata.name`.
    var name: String { self["metadata"]?["name"]?.string ?? "" }
    /// `metadata.resourceVersion`.
    var version: String { self["metadata"]?["resourceVersion"]?.string ?? "" }
    /// `metadata.resourceVersion` as the number that it happens to be; 0 when it is none.
    var versionNumber: Int { Int(version) ?? 0 }
    /// The types of the conditions in the status.
    var conditionTypes: [String] {
        (self["status"]?["conditions"]?.elements ?? []).compactMap { $0["type"]?.string }
    }
}

extension TestCluster {
    /// Whether something comes to hold; a real server's caches take a moment.
    func comes(_ condition: () async throws -> Bool) async throws -> Bool { try await eventually(condition) }

    /// Makes a cluster role and binds a user to it.
    func bind(_ name: String, rules: HarnessJSON, to user: String) async throws {
        let path = "/apis/rbac.authorization.k8s.io/v1/"
        let role = try await call(
            .post, path + "clusterroles", ["metadata": ["name": .string(name)], "rules": rules])
        #expect(role.status == 201, "\(role.text)")
        let bound = try await call(
            .post, path + "clusterrolebindings",
            [
                "metadata": ["name": .string(name)],
                "subjects": [["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": .string(user)]],
                "roleRef": [
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": .string(name),
                ],
            ])
        #expect(bound.status == 201, "\(bound.text)")
    }

    /// Waits until a user has what a rule gives, and tells whether it came.
    func becomesKnown(_ user: ClusterUser, verb: String, rule: HarnessJSON) async throws -> Bool {
        let parts = (rule["resources"]?.strings.first ?? "").split(separator: "/").map(String.init)
        var attributes: HarnessJSON = [
            "verb": .string(verb), "group": .string(rule["apiGroups"]?.strings.first ?? ""),
            "resource": .string(parts.first ?? ""),
        ]
        if parts.count > 1 { attributes["subresource"] = .string(parts[1]) }
        if let name = rule["resourceNames"]?.strings.first { attributes["name"] = .string(name) }
        let review: HarnessJSON = ["spec": ["resourceAttributes": attributes]]
        return try await comes {
            try await call(.post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, as: user)
                .json["status"]?["allowed"]?.boolean == true
        }
    }

    /// The certificate that a request gets, PEM; `nil` when it gets none within a minute.
    func certificate(of name: String) async throws -> String? {
        var found: String?
        _ = try await comes {
            found = try await call(.get, Self.requests + "/" + name).json["status"]?["certificate"]?.string
            return found != nil
        }
        return found.flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
    }
}
