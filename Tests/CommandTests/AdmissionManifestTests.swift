import Fixtures
import Foundation
import Testing
import Yams

/// The manifests of the gate: what it may do, how it is asked, and that Kustomize and Helm install the same.
@Suite("The gate's manifests", .timeLimit(.minutes(2))) struct AdmissionManifestTests {
    private static let folder = "Docs/Deploy/Kubernetes/admission"
    private static let chart = "Docs/Deploy/Helm/carnet-admission"

    /// The objects of files, in their order.
    private func objects(_ files: String...) throws -> [Node] {
        try files.flatMap { try Array(Yams.compose_all(yaml: Repository.text("\(Self.folder)/\($0)"))) }
    }

    private func name(_ object: Node) -> String {
        "\(object["kind"]?.string ?? "") \(object["metadata"]?["name"]?.string ?? "")"
    }

    @Test("The gate may do this, and nothing else")
    func permissions() throws {
        var rules: [String: Set<String>] = [:]
        let objects = try objects("rbac.yaml")
        for object in objects where object["rules"] != nil {
            for rule in object["rules"]?.sequence ?? [] {
                func words(_ key: String) -> String {
                    (rule[key]?.sequence?.compactMap(\.string) ?? []).sorted().joined(separator: ",")
                }
                rules[name(object), default: []].insert(
                    ["verbs", "resources", "apiGroups", "resourceNames"].map(words).joined(separator: "|"))
            }
        }
        let certificates = "certificates.k8s.io"
        #expect(
            rules == [
                "ClusterRole carnet-admission-approver": [
                    "get,list,watch|certificatesigningrequests|\(certificates)|",
                    "update|certificatesigningrequests/approval|\(certificates)|",
                    "approve|signers|\(certificates)|kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving",
                    "get,list,watch|nodes||",
                ],
                "ClusterRole carnet-admission-controller": [
                    "get,list,patch,watch|nodes||", "patch|nodes/status||",
                ],
                "Role carnet-admission-events": ["create|events||"],
                "Role carnet-admission": [
                    "get,update|leases|coordination.k8s.io|carnet-admission", "create|leases|coordination.k8s.io|",
                    "get|configmaps||carnet-admission",
                ],
            ])
        // Each role is bound to the gate's account, and to nobody else.
        for object in objects where object["roleRef"] != nil {
            #expect(object["roleRef"]?["name"]?.string == object["metadata"]?["name"]?.string)
            #expect(object["roleRef"]?["kind"]?.string == object["kind"]?.string?.replacing("Binding", with: ""))
            let subjects = object["subjects"]?.sequence ?? []
            #expect(subjects.count == 1 && subjects.first?["kind"]?.string == "ServiceAccount")
            #expect(subjects.first?["name"]?.string == "carnet-admission")
            #expect(subjects.first?["namespace"]?.string == "carnet")
        }
    }

    @Test("The webhook fails closed, is asked about all that it must, and nobody's label takes an object away from it")
    func webhook() throws {
        let webhooks = try #require(try objects("webhook/webhook.yaml").first?["webhooks"]?.sequence)
        var asked: Set<String> = []
        for webhook in webhooks {
            #expect(webhook["failurePolicy"]?.string == "Fail" && webhook["sideEffects"]?.string == "None")
            #expect(webhook["objectSelector"] == nil && webhook["namespaceSelector"] == nil)
            #expect((1...10).contains(webhook["timeoutSeconds"]?.int ?? 0))
            #expect(webhook["clientConfig"]?["service"]?["name"]?.string == "carnet-admission")
            for rule in webhook["rules"]?.sequence ?? [] {
                for operation in rule["operations"]?.sequence ?? [] {
                    for resource in rule["resources"]?.sequence ?? [] {
                        asked.insert(
                            "\(operation.string ?? "") \(resource.string ?? "") \(webhook["clientConfig"]?["service"]?["path"]?.string ?? "")"
                        )
                    }
                }
            }
        }
        #expect(
            asked == [
                "CREATE nodes /validate/nodes", "UPDATE nodes /validate/nodes", "UPDATE nodes/status /validate/nodes",
                "CREATE certificatesigningrequests /validate/certificatesigningrequests",
                "UPDATE certificatesigningrequests/approval /validate/certificatesigningrequests",
            ])
        // What narrows it is about the gate's own marks and signers, by the names that the gate uses.
        let conditions = webhooks.flatMap { $0["matchConditions"]?.sequence ?? [] }.compactMap {
            $0["expression"]?.string
        }
        .joined(separator: " ")
        for mark in [
            "'carnet.dev/unattested'", "'carnet.node-restriction.kubernetes.io/attested'", "'carnet.dev/passport'",
            "'CarnetAttested'", "object.metadata.ownerReferences", "object.metadata.finalizers",
            "'kubernetes.io/kube-apiserver-client-kubelet'", "'kubernetes.io/kubelet-serving'",
            "'kubernetes.io/kube-apiserver-client'",
            "'system:serviceaccount:carnet:carnet-admission'",
        ] { #expect(conditions.contains(mark), "\(mark)") }
        #expect(webhooks.first { $0["name"]?.string == "joining.nodes.carnet.dev" }?["matchConditions"] == nil)
    }

    @Test("Two replicas, restricted, with probes and bounds, where the gate's own taint does not reach")
    func deployment() throws {
        let pod = try #require(try objects("deployment.yaml").first?["spec"]?["template"]?["spec"])
        #expect(pod["securityContext"]?["runAsNonRoot"]?.bool == true && pod["enableServiceLinks"]?.bool == false)
        #expect(pod["nodeSelector"]?["node-role.kubernetes.io/control-plane"]?.string == "")
        let container = try #require(pod["containers"]?[0])
        #expect(container["securityContext"]?["readOnlyRootFilesystem"]?.bool == true)
        #expect(container["securityContext"]?["capabilities"]?["drop"]?[0]?.string == "ALL")
        #expect(container["resources"]?["limits"]?["memory"] != nil)
        for (probe, path) in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz"), ("startupProbe", "/livez")] {
            #expect(container[probe]?["httpGet"]?["path"]?.string == path)
        }
        // Nothing in the pod can be written.
        for mount in container["volumeMounts"]?.sequence ?? [] { #expect(mount["readOnly"]?.bool == true) }
    }

    @Test("The pods' configuration can be used")
    func configuration() async throws {
        let folder = try TemporaryDirectory()
        let text = try Repository.text(Self.folder + "/admission.yaml")
        guard let staged = try ConfigurationStage.text(text, in: folder) else { return }
        let file = try folder.write(Array(staged.utf8), "admission.yaml")
        // The API server's address and authority are the pod's own; outside of one a kubeconfig says them.
        let kubeconfig = """
            {apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a}}],
             clusters: [{name: a, cluster: {server: "https://10.96.0.1"}}]}
            """
        let pod = ["CARNET_ADMISSION_KUBECONFIG": try folder.write(Array(kubeconfig.utf8), "kubeconfig")]
        let ending = try await Program("carnet-admission").run(
            ["--config", file, "--check-config"], environment: pod)
        #expect(ending.status == 0, "\(ending)")
    }

    // MARK: Helm

    /// Helm as `make test-kubernetes` installs it, or as somebody has.
    private func helm() -> Witness? {
        let ours = Repository.path(".build-kubernetes/helm/bin/helm")
        if FileManager.default.isExecutableFile(atPath: ours) { return Witness(path: ours) }
        return Witness.ifInstalled("helm")
    }

    private func rendered(_ helm: Witness, _ settings: String...) throws -> Witness.Testimony {
        try helm.run(
            ["template", "carnet-admission", Repository.path(Self.chart), "--namespace", "carnet"]
                + settings.flatMap { ["--set", $0] })
    }

    @Test("Helm's chart and the base for Kustomize install the same objects")
    func sameObjects() throws {
        guard let helm = helm() else { return }
        let testimony = try rendered(
            helm, "gates.webhook=true", "certManager.enabled=true", "podMonitor.enabled=true")
        #expect(testimony.status == 0, "\(testimony.errors)")
        let chart = Dictionary(
            uniqueKeysWithValues: try Array(Yams.compose_all(yaml: testimony.text)).map { (name($0), $0) })
        let base = try objects(
            "service-account.yaml", "rbac.yaml", "deployment.yaml", "service.yaml", "disruption-budget.yaml",
            "network-policy.yaml", "webhook/webhook.yaml", "cert-manager/certificate.yaml",
            "monitoring/pod-monitor.yaml")
        // Kustomize makes the map of settings, and the namespace is its own there.
        #expect(Set(chart.keys) == Set(base.map(name)).union(["ConfigMap carnet-admission-settings"]))
        for object in base {
            let other = try #require(chart[name(object)])
            #expect(try Self.bare(object) == Self.bare(other), "\(name(object))")
        }
        let settings = try #require(chart["ConfigMap carnet-admission-settings"]?["data"]?["admission.yaml"]?.string)
        let theirs = try #require(try Yams.compose(yaml: settings))
        let ours = try #require(try Yams.compose(yaml: Repository.text(Self.folder + "/admission.yaml")))
        #expect(try Self.json(theirs) == Self.json(ours))
    }

    @Test("A gate that is not used gets no permissions, and a webhook without an authority is refused")
    func gates() throws {
        guard let helm = helm() else { return }
        let quiet = try rendered(helm, "gates.controller=false").text
        #expect(!quiet.contains("carnet-admission-controller") && !quiet.contains("ValidatingWebhookConfiguration"))
        #expect(quiet.contains("carnet-admission-approver"))
        let open = try rendered(helm, "gates.webhook=true")
        #expect(open.status != 0 && open.errors.contains("caBundle"), "\(open)")
        let latest = try rendered(helm, "image.tag=latest")
        #expect(latest.status != 0, "\(latest)")
        let files = try rendered(helm, #"files.names\.yaml=names: {}"#, "settings.names=/etc/carnet/files/names.yaml")
            .text
        for line in ["  names.yaml:", "mountPath: /etc/carnet/files", "checksum/files:"] {
            #expect(files.contains(line), "\(line)")
        }
        let lint = try helm.run(["lint", "--strict", Repository.path(Self.chart)])
        #expect(lint.status == 0, "\(lint.text)")
    }

    /// The JSON of an object without what only one of the two adds: common labels, selectors that Kustomize makes of them, a digest of the
    /// settings.
    private static func bare(_ object: Node) throws -> String {
        let kind = object["kind"]?.string ?? ""
        var left: Set<String> = ["metadata.labels"]
        if kind == "Deployment" {
            left.formUnion(["spec.selector", "spec.template.metadata", "spec.template.spec.topologySpreadConstraints"])
        }
        if ["Service", "PodDisruptionBudget"].contains(kind) { left.insert("spec.selector") }
        if kind == "NetworkPolicy" { left.insert("spec.podSelector") }
        return try json(object, leaving: left)
    }

    /// The JSON of YAML, its members in one order.
    private static func json(_ node: Node, leaving left: Set<String> = []) throws -> String {
        func plain(_ value: Any, at path: String) -> Any {
            if let members = value as? [String: Any] {
                return members.reduce(into: [String: Any]()) { members, member in
                    let inner = path.isEmpty ? member.key : path + "." + member.key
                    if !left.contains(inner) { members[member.key] = plain(member.value, at: inner) }
                }
            }
            if let elements = value as? [Any] { return elements.map { plain($0, at: path + "[]") } }
            return value
        }
        let value = try Yams.load(yaml: Yams.serialize(node: node)) ?? [String: Any]()
        let data = try JSONSerialization.data(withJSONObject: plain(value, at: ""), options: .sortedKeys)
        return String(decoding: data, as: UTF8.self)
    }
}
