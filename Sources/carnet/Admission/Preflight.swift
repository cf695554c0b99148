import KubernetesAPI

/// What would let a machine into a cluster, or keep it there, past the gate. It reads objects and asks nobody.
struct Preflight: Sendable {
    let state: ClusterState

    /// What was found, the worst first.
    var findings: [PreflightFinding] {
        let all =
            automaticApproval + approvers + nodeWriters + legacyNodes + impersonators + keepers + webhook + service
            + joining
        return all.sorted { $0.weight < $1.weight }
    }

    /// The signers whose certificates make a machine a node.
    static let signers = ["kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"]
    private static let certificates = "certificates.k8s.io"
    /// The controller-manager's own account for requests. It approves what RBAC tells it to.
    private static let signer = "system:serviceaccount:kube-system:certificate-controller"

    /// Who may do something, administrators of everything and the gate aside.
    private func others(_ use: AccessUse, but exceptions: (AccessSubject) -> Bool = { _ in false }) -> [AccessGrant] {
        state.grants.filter { grant in
            grant.allows(use) && !isAdministrator(grant) && grant.subject != state.gate && !exceptions(grant.subject)
        }
    }

    /// Somebody to whom everything is given, and who is a person or a program: not a group that machines are in.
    private func isAdministrator(_ grant: AccessGrant) -> Bool {
        grant.isAboutEverything && grant.namespace == nil && !Self.isCrowd(grant.subject)
    }

    /// Groups that a machine is in before anybody has looked at it.
    private static func isCrowd(_ subject: AccessSubject) -> Bool {
        subject.kind == "Group"
            && (subject.name.hasPrefix("system:bootstrappers")
                || ["system:nodes", "system:authenticated", "system:unauthenticated"].contains(subject.name))
    }

    /// The controllers that come with Kubernetes. Others in kube-system, a network's agents on each node among them, are strangers.
    private static func isControlPlane(_ subject: AccessSubject) -> Bool {
        subject.kind == "User" && subject.name.hasPrefix("system:kube-")
            || subject.kind == "ServiceAccount" && subject.namespace == "kube-system"
                && controllers.contains(subject.name)
    }

    private static let controllers: Set = [
        "attachdetach-controller", "certificate-controller", "cloud-provider", "daemon-set-controller",
        "generic-garbage-collector", "horizontal-pod-autoscaler", "namespace-controller", "node-controller",
        "persistent-volume-binder", "resourcequota-controller", "route-controller", "service-controller",
        "ttl-controller",
    ]

    private static func names(_ grants: [AccessGrant]) -> [String] {
        Set(grants.map { "\($0.subject) by \($0.binding)" }).sorted()
    }

    // MARK: Rules

    /// The controller-manager approves requests of whoever may create `…/nodeclient` and `…/selfnodeclient`.
    private var automaticApproval: [PreflightFinding] {
        let grants = ["nodeclient", "selfnodeclient", "selfnodeserver"].flatMap { part in
            others(AccessUse("create", "certificatesigningrequests/" + part, group: Self.certificates))
        }
        guard !grants.isEmpty else { return [] }
        let isStopped = webhooks(asked: "UPDATE", "certificatesigningrequests/approval", group: Self.certificates)
        let bindings = Set(grants.map(\.binding)).sorted()
        return [
            PreflightFinding(
                weight: isStopped ? .warning : .bypass, rule: "auto-approval",
                finding: isStopped
                    ? "The controller-manager would approve kubelets' requests by itself; only the webhook stops it."
                    : "The controller-manager approves kubelets' requests by itself: whoever has a bootstrap token joins.",
                objects: Self.names(grants),
                remedy: "kubectl delete "
                    + bindings.map { $0.lowercased().prefix { $0 != " " } + "/" + $0.drop { $0 != " " }.dropFirst() }
                    .joined(separator: " "))
        ]
    }

    /// Who else may approve.
    private var approvers: [PreflightFinding] {
        let writers = ["update", "patch"].flatMap { verb in
            others(AccessUse(verb, "certificatesigningrequests/approval", group: Self.certificates)) {
                $0.username == Self.signer
            }
        }
        let able = Set(writers.map(\.subject)).filter { subject in
            Self.signers.contains { signer in
                state.grants.contains {
                    $0.subject == subject
                        && $0.allows(AccessUse("approve", "signers", group: Self.certificates, name: signer))
                }
            }
        }
        guard !able.isEmpty else { return [] }
        let isCrowd = able.contains(where: Self.isCrowd)
        return [
            PreflightFinding(
                weight: isCrowd ? .bypass : .warning, rule: "other-approvers",
                finding: "Others than the gate may approve kubelets' requests.",
                objects: Self.names(writers.filter { able.contains($0.subject) }),
                remedy:
                    "Take `approve` on these signers away from them, or install the webhook, which refuses their approvals."
            )
        ]
    }

    /// Who else may change nodes, and so lift a taint or make a node that has none.
    private var nodeWriters: [PreflightFinding] {
        let uses =
            ["create", "update", "patch"].map { AccessUse($0, "nodes") }
            + ["update", "patch"].map { AccessUse($0, "nodes/status") }
        let grants = uses.flatMap { use in others(use, but: Self.isControlPlane) }
            .filter { $0.namespace == nil && $0.subject.name != "system:nodes" }
        guard !grants.isEmpty else { return [] }
        let isStopped = webhooks(asked: "UPDATE", "nodes") && webhooks(asked: "CREATE", "nodes")
        return [
            PreflightFinding(
                weight: grants.contains { Self.isCrowd($0.subject) } ? .bypass : isStopped ? .note : .warning,
                rule: "node-writers",
                finding: isStopped
                    ? "Others may change nodes; the webhook keeps the gate's marks from them."
                    : "Others than the gate may change nodes, and so lift its taints.",
                objects: Self.names(grants),
                remedy: isStopped ? nil : "Install the webhook, which keeps the gate's marks from them.")
        ]
    }

    /// A binding from before the node authorizer gives every node the rights of all.
    private var legacyNodes: [PreflightFinding] {
        let grants = state.grants.filter {
            $0.subject.kind == "Group" && $0.subject.name == "system:nodes" && $0.namespace == nil
                && ($0.allows(AccessUse("update", "nodes")) || $0.allows(AccessUse("patch", "nodes")))
        }
        guard !grants.isEmpty else { return [] }
        return [
            PreflightFinding(
                weight: .bypass, rule: "nodes-by-rbac",
                finding:
                    "RBAC gives all nodes what the node authorizer gives each for itself: without NodeRestriction one changes the others.",
                objects: Self.names(grants),
                remedy:
                    "Start the API server with --authorization-mode=Node,RBAC and --enable-admission-plugins=NodeRestriction, and delete the binding."
            )
        ]
    }

    /// Who can act as somebody else, the gate included.
    private var impersonators: [PreflightFinding] {
        let uses = [
            AccessUse("impersonate", "users"), AccessUse("impersonate", "groups"),
            AccessUse("impersonate", "serviceaccounts"),
        ]
        let gate = state.gate.namespace
        let borrowers = others(
            AccessUse("create", "serviceaccounts/token", name: state.gate.name), but: Self.isControlPlane
        ).filter { ($0.namespace == nil || $0.namespace == gate) && $0.subject.name != "system:nodes" }
        let grants = uses.flatMap { others($0) } + borrowers
        guard !grants.isEmpty else { return [] }
        return [
            PreflightFinding(
                weight: grants.contains { Self.isCrowd($0.subject) } ? .bypass : .warning, rule: "impersonators",
                finding: "These can act as the gate, or as anybody.", objects: Self.names(grants),
                remedy: "Keep `impersonate`, and `create` on the gate's serviceaccounts/token, for administrators.")
        ]
    }

    /// Who can take the webhook away, or run as the gate where it runs.
    private var keepers: [PreflightFinding] {
        let group = "admissionregistration.k8s.io", gate = state.gate.namespace
        let openers = ["update", "patch", "delete"].flatMap { verb in
            others(AccessUse(verb, "validatingwebhookconfigurations", group: group, name: "carnet-admission"))
        }.filter { $0.namespace == nil }
        let workloads = [
            AccessUse("create", "pods"), AccessUse("create", "deployments", group: "apps"),
            AccessUse("create", "daemonsets", group: "apps"), AccessUse("create", "statefulsets", group: "apps"),
            AccessUse("create", "replicasets", group: "apps"), AccessUse("create", "jobs", group: "batch"),
            AccessUse("create", "cronjobs", group: "batch"),
        ]
        let guests: [AccessGrant] = workloads.flatMap { others($0, but: Self.isControlPlane) }.filter { grant in
            let isNear = grant.namespace == nil || grant.namespace == gate
            return isNear && !(grant.subject.kind == "ServiceAccount" && grant.subject.namespace == "kube-system")
        }
        guard !openers.isEmpty || !guests.isEmpty else { return [] }
        return [
            PreflightFinding(
                weight: (openers + guests).contains { Self.isCrowd($0.subject) } ? .bypass : .note, rule: "keepers",
                finding: "These can take the gate's webhook away, or run pods in its namespace and so act as the gate.",
                objects: Self.names(openers + guests),
                remedy: "See that they are administrators, or programs of theirs.")
        ]
    }

    // MARK: The webhook

    /// Whether a webhook that fails closed is asked about something: of the gate's own configuration only.
    private func webhooks(asked operation: String, _ resource: String, group: String = "") -> Bool {
        entries.contains { entry in
            entry["failurePolicy"]?.string != "Ignore" && entry["namespaceSelector"].isNothing
                && entry["objectSelector"].isNothing && Self.asks(entry, operation, resource, group)
        }
    }

    private static func asks(_ entry: JSONValue, _ operation: String, _ resource: String, _ group: String) -> Bool {
        (entry["rules"]?.elements ?? []).contains { rule in
            func holds(_ name: String, _ value: String) -> Bool {
                (rule[name]?.elements ?? []).contains { $0.string == value || $0.string == "*" }
            }
            return holds("operations", operation) && holds("apiGroups", group)
                && (holds("resources", resource) || rule["resources"]?.elements?.contains("*/*") == true)
        }
    }

    private var entries: [JSONValue] {
        state.webhooks.filter { $0.name == "carnet-admission" }.flatMap { $0.json["webhooks"]?.elements ?? [] }
    }

    private var webhook: [PreflightFinding] {
        guard !entries.isEmpty else {
            return [
                PreflightFinding(
                    weight: .warning, rule: "webhook-absent",
                    finding: "The API server does not ask the gate: nothing keeps others from the gate's marks.",
                    objects: [],
                    remedy:
                        "kubectl apply -k base/webhook, or Helm's gates.webhook=true, once the gate's pods are ready.")
            ]
        }
        var faults: [String] = []
        for entry in entries {
            let name = entry["name"]?.string ?? "?"
            if entry["failurePolicy"]?.string == "Ignore" {
                faults.append("\(name): failurePolicy Ignore lets everything by while the gate is away")
            }
            if !entry["objectSelector"].isNothing {
                faults.append("\(name): objectSelector is met by whoever sets labels")
            }
            if !entry["namespaceSelector"].isNothing {
                faults.append("\(name): namespaceSelector says nothing about nodes")
            }
            if entry["clientConfig"]?["caBundle"]?.string?.isEmpty ?? true {
                faults.append("\(name): without caBundle the API server cannot call it")
            }
        }
        // Before 1.28 nothing narrows what is asked, and a node's signs of life would all be.
        let knowsConditions = state.minorVersion.map { $0 >= 28 } ?? true
        for (operation, resource, group) in [
            ("CREATE", "nodes", ""), ("UPDATE", "nodes", ""),
            ("UPDATE", knowsConditions ? "nodes/status" : "nodes", ""),
            ("CREATE", "certificatesigningrequests", Self.certificates),
            ("UPDATE", "certificatesigningrequests/approval", Self.certificates),
        ] where !entries.contains(where: { Self.asks($0, operation, resource, group) }) {
            faults.append("no webhook is asked about \(operation) of \(resource)")
        }
        guard !faults.isEmpty else { return [] }
        return [
            PreflightFinding(
                weight: .warning, rule: "webhook-open", finding: "The webhook does not hold what it should.",
                objects: faults,
                remedy:
                    "Apply the configuration of the release again: kubectl apply -k base/webhook, or helm upgrade --reuse-values."
            )
        ]
    }

    // MARK: The service

    private var service: [PreflightFinding] {
        var findings: [PreflightFinding] = []
        let namespace = state.gate.namespace ?? "carnet"
        let pods = "kubectl -n \(namespace) get pods -l app.kubernetes.io/name=carnet-admission"
        if !state.hasLease {
            findings.append(
                PreflightFinding(
                    weight: .note, rule: "no-leader",
                    finding: "The namespace \(namespace) has no lease of the gate: no replica ever ran there.",
                    objects: [], remedy: "\(KubernetesOptions.isGateThere) \(pods)"))
        } else if state.leader == nil {
            findings.append(
                PreflightFinding(
                    weight: .note, rule: "no-leader", finding: "No replica of the gate leads: it does not run.",
                    objects: [], remedy: pods))
        }
        if let minor = state.minorVersion, minor < 21 {
            findings.append(
                PreflightFinding(
                    weight: .warning, rule: "old-node",
                    finding:
                        "The API server may tell webhooks that nodes were before as they are to be (CVE-2021-25735, mended in 1.18.18, 1.19.10 and 1.20.6): the gate's marks are then not kept.",
                    objects: [], remedy: "Update the API server."))
        }
        if let minor = state.minorVersion, minor < 22 {
            findings.append(
                PreflightFinding(
                    weight: .warning, rule: "no-expiration",
                    finding: "The API server is older than 1.22: requests cannot ask for short certificates.",
                    objects: [],
                    remedy:
                        "Set --cluster-signing-duration of the controller-manager, and allow-unbounded-life of the gate."
                ))
        }
        if let minor = state.minorVersion, minor < 28, !entries.isEmpty {
            findings.append(
                PreflightFinding(
                    weight: .note, rule: "no-match-conditions",
                    finding:
                        "The API server is older than 1.28: it asks the gate about every change of a node but its status.",
                    objects: [], remedy: nil))
        }
        return findings
    }

    /// What joining needs, and who would be tainted.
    private var joining: [PreflightFinding] {
        var findings: [PreflightFinding] = []
        let asking = state.grants.filter {
            $0.allows(AccessUse("create", "certificatesigningrequests", group: Self.certificates))
                && Self.isCrowd($0.subject)
        }
        if asking.isEmpty {
            findings.append(
                PreflightFinding(
                    weight: .note, rule: "nobody-may-ask",
                    finding: "No bootstrap group may create certificate signing requests: new machines cannot ask.",
                    objects: [],
                    remedy:
                        "kubectl create clusterrolebinding carnet:create-csrs --clusterrole=system:node-bootstrapper --group=system:bootstrappers"
                ))
        }
        let bare = state.nodes.filter { $0.annotations["carnet.dev/passport"] == nil }
        if !bare.isEmpty {
            findings.append(
                PreflightFinding(
                    weight: .note, rule: "nodes-without-passport",
                    finding:
                        "\(bare.count) of \(state.nodes.count) nodes show no passport: the controller would taint them.",
                    objects: bare.map { "Node " + $0.name }.sorted(),
                    remedy: "Start carnet-agent kubelet on them, or name them in exempt-node."))
        }
        return findings
    }
}

extension JSONValue? {
    /// Whether it is not there, or is `null` or an object without members: what the API server makes of a selector that selects everything.
    fileprivate var isNothing: Bool { self == nil || self == .null || self == [:] }
}
