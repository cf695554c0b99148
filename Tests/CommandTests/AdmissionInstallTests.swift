import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import Testing

/// The chart, installed into a real cluster by the real Helm: only `make test-kubernetes` has both.
@Suite("The gate installed into a cluster", .timeLimit(.minutes(5)))
struct AdmissionInstallTests {
    private static let account = "system:serviceaccount:carnet:carnet-admission"

    /// Whether the gate's account may do something, as the API server says.
    private func may(
        _ cluster: TestCluster, _ verb: String, _ resource: String, group: String = "", subresource: String = "",
        name: String = "", namespace: String = ""
    ) async throws -> Bool {
        let answer = try await cluster.call(
            .post, "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            [
                "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                "spec": [
                    "user": .string(Self.account),
                    "groups": ["system:serviceaccounts", "system:serviceaccounts:carnet", "system:authenticated"],
                    "resourceAttributes": [
                        "verb": .string(verb), "resource": .string(resource), "group": .string(group),
                        "subresource": .string(subresource), "name": .string(name), "namespace": .string(namespace),
                    ],
                ],
            ])
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.json["status"]?["allowed"]?.boolean == true
    }

    @Test("Helm installs it, it may do what it must and nothing else, and preflight does not take it for a stranger")
    func install() async throws {
        let helm = Repository.path(".build-kubernetes/helm/bin/helm")
        guard TestCluster.isReal, FileManager.default.isExecutableFile(atPath: helm) else {
            return print("skipped: needs a real API server and Helm (make test-kubernetes)")
        }
        try await TestCluster.with { cluster in
            let file = try await cluster.kubeconfig(for: .admin)
            let base = ["--kubeconfig", file, "--namespace", "carnet"]
            let chart = Repository.path("Docs/Deploy/Helm/carnet-admission")
            let authority = Data(cluster.authority.certificate.utf8).base64EncodedString()
            let installed = try await Program(path: helm).run(
                [
                    "install", "carnet-admission", chart, "--create-namespace",
                    // The real server here is older than matchConditions, and leaves them out.
                    "--disable-openapi-validation", "--set", "gates.webhook=true", "--set",
                    "webhook.caBundle=" + authority,
                ] + base)
            #expect(installed.status == 0, "\(installed)")
            let certificates = "certificates.k8s.io", signer = "kubernetes.io/kubelet-serving"
            #expect(try await may(cluster, "watch", "certificatesigningrequests", group: certificates))
            #expect(
                try await may(
                    cluster, "update", "certificatesigningrequests", group: certificates, subresource: "approval"))
            #expect(try await may(cluster, "approve", "signers", group: certificates, name: signer))
            #expect(try await may(cluster, "patch", "nodes"))
            #expect(try await may(cluster, "patch", "nodes", subresource: "status"))
            #expect(
                try await may(
                    cluster, "update", "leases", group: "coordination.k8s.io", name: "carnet-admission",
                    namespace: "carnet"))
            #expect(try await may(cluster, "get", "configmaps", name: "carnet-admission", namespace: "carnet"))
            #expect(try await may(cluster, "create", "events", namespace: "default"))

            #expect(try await !may(cluster, "approve", "signers", group: certificates, name: "example.org/other"))
            #expect(try await !may(cluster, "create", "certificatesigningrequests", group: certificates))
            #expect(try await !may(cluster, "delete", "nodes"))
            #expect(try await !may(cluster, "create", "nodes"))
            #expect(try await !may(cluster, "update", "configmaps", name: "carnet-admission", namespace: "carnet"))
            #expect(try await !may(cluster, "get", "secrets", namespace: "carnet"))
            #expect(
                try await !may(
                    cluster, "update", "leases", group: "coordination.k8s.io", name: "other", namespace: "carnet"))

            let preflight = try await Program("carnet").run(
                ["admission", "preflight", "--kubeconfig", file, "--json"])
            #expect(!preflight.text.contains("ServiceAccount carnet/carnet-admission"), "\(preflight.text)")
            // For a server before 1.28 the chart leaves status writes out; preflight misses them.
            #expect(!preflight.text.contains("webhook-absent"))
            #expect(!preflight.text.contains("lets everything by") && !preflight.text.contains("caBundle"))
            // The way back.
            let removed = try await Program(path: helm).run(["uninstall", "carnet-admission"] + base)
            #expect(removed.status == 0, "\(removed)")
            #expect(try await !may(cluster, "patch", "nodes"))
        }
    }
}
