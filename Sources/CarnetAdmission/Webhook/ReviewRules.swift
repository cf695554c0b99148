import KubernetesAPI
import NodeAdmission

/// Who may do what with the gate's marks. Pure: a review in, an answer out.
package struct ReviewRules: Sendable {
    /// The gate's own account.
    let gateUser: String
    /// The groups whose members may do as the gate does.
    let operatorGroups: Set<String>
    /// Nodes that need no taint.
    let exempt: Set<String>

    /// Rules.
    ///
    /// - Parameters:
    ///   - gateUser: The gate's own account.
    ///   - operatorGroups: The groups whose members may do as the gate does.
    ///   - exempt: Nodes that need no taint.
    package init(gateUser: String, operatorGroups: Set<String>, exempt: Set<String>) {
        self.gateUser = gateUser
        self.operatorGroups = operatorGroups
        self.exempt = exempt
    }

    /// Whether somebody may write the gate's marks.
    func mayMark(_ review: AdmissionReview) -> Bool {
        // By bytes: to Swift, texts are equal that are not to an API server.
        isGate(review)
            || operatorGroups.contains { group in review.groups.contains { $0.utf8.elementsEqual(group.utf8) } }
    }

    func isGate(_ review: AdmissionReview) -> Bool { review.username.utf8.elementsEqual(gateUser.utf8) }

    /// About a Node, or its status: labels and annotations can be written with that too.
    package func node(_ review: AdmissionReview) -> AdmissionReview.Answer {
        guard review.resource == "nodes", ["", "status"].contains(review.subresource) else { return .allowed }
        switch review.operation {
        case "CREATE":
            guard review.subresource.isEmpty else { return .allowed }
            guard let object = review.object else { return Self.without("object") }
            return joining(object, review)
        case "UPDATE":
            guard let object = review.object, let old = review.oldObject else { return Self.without("object") }
            return marks(object, old, review)
        default: return .allowed
        }
    }

    private static func without(_ what: String) -> AdmissionReview.Answer {
        .refused("ReviewIncomplete", "The review has no \(what), and nobody can say what is to be done.")
    }

    private func joining(_ object: KubernetesObject, _ review: AdmissionReview) -> AdmissionReview.Answer {
        let name = object.name.isEmpty ? review.name : object.name
        if review.username.hasPrefix(NodeName.userPrefix) {
            guard let own = NodeName.ofUser(review.username), own.utf8.elementsEqual(name.utf8) else {
                return .refused(
                    "NodeIsAnothers",
                    "\(shown(review.username)) registers \(shown(name)). A kubelet registers its own node only.")
            }
        } else if mayMark(review) {
            return .allowed
        }
        if let answer = Self.lasting(object, nil, review) { return answer }
        guard Self.statesAddressesOnce(object) else {
            return .refused(
                "AddressTwice",
                "A new node states an address twice. The API server refuses every later change of such a node, the taint too."
            )
        }
        guard object.labels[NodeMark.label] == nil else {
            return .refused(
                "LabelNotAllowed",
                "A new node has the label \(NodeMark.label). The gate sets it when the node is attested: leave it out.")
        }
        guard review.username.hasPrefix(NodeName.userPrefix) || object.annotations[NodeMark.passport] == nil else {
            return .refused("PassportNotAllowed", "A node's passport is shown by the node itself, and by nobody else.")
        }
        if exempt.contains(name) { return .allowed }
        guard let taint = UnattestedTaint(object.spec["taints"]?.elements ?? []), taint.isInForce,
            taint.reason == .never, taint.since == nil
        else {
            return .refused(
                "TaintMissing",
                "A new node has to begin with the taint \(NodeMark.taint): run the kubelet with --register-with-taints=\(NodeMark.taint)=never:NoSchedule. The gate lifts it when the node is attested."
            )
        }
        return .allowed
    }

    private func marks(
        _ object: KubernetesObject, _ old: KubernetesObject, _ review: AdmissionReview
    ) -> AdmissionReview.Answer {
        if mayMark(review) { return .allowed }
        let taints = { (node: KubernetesObject) in
            Set((node.spec["taints"]?.elements ?? []).filter { $0["key"]?.string == NodeMark.taint })
        }
        guard taints(object) == taints(old) else {
            return .refused(
                "TaintIsTheGates",
                "The taint \(NodeMark.taint) is the gate's: it lifts it when the node is attested. An operator in a group of --operators-group may change it; who wants the gate gone deletes its webhook's configuration first."
            )
        }
        if let answer = Self.lasting(object, old, review) { return answer }
        guard isSame(object.labels[NodeMark.label], old.labels[NodeMark.label]) else {
            return .refused(
                "LabelIsTheGates", "The label \(NodeMark.label) is the gate's: it sets and removes it by itself.")
        }
        let conditions = { (node: KubernetesObject) in
            Set((node.status["conditions"]?.elements ?? []).filter { $0["type"]?.string == NodeMark.condition })
        }
        guard conditions(object) == conditions(old) else {
            return .refused(
                "ConditionIsTheGates", "The condition \(NodeMark.condition) is the gate's: it says how the node stands."
            )
        }
        let isOwn = NodeName.ofUser(review.username).map { $0.utf8.elementsEqual(object.name.utf8) } ?? false
        guard isOwn || isSame(object.annotations[NodeMark.passport], old.annotations[NodeMark.passport]) else {
            return .refused("PassportNotAllowed", "A node's passport is shown by the node itself, and by nobody else.")
        }
        return .allowed
    }

    /// A kubelet decides neither that its node goes, and a refusal with it, nor that it stays when an operator deletes it.
    private static func lasting(
        _ object: KubernetesObject, _ old: KubernetesObject?, _ review: AdmissionReview
    ) -> AdmissionReview.Answer? {
        guard review.username.utf8.starts(with: NodeName.userPrefix.utf8) else { return nil }
        for field in ["ownerReferences", "finalizers"] {
            let list = { (node: KubernetesObject?) in node?.json["metadata"]?[field]?.elements ?? [] }
            guard list(object) == list(old) else {
                return .refused(
                    "LifeIsNotTheNodes",
                    "A kubelet sets no \(field) of its node: how long a node is there is for operators to say.")
            }
        }
        return nil
    }

    private static func statesAddressesOnce(_ object: KubernetesObject) -> Bool {
        let addresses = object.status["addresses"]?.elements ?? []
        return Set(addresses).count == addresses.count
    }

    /// The signer of everybody else's client certificates. The API server keeps it from signing for `system:masters`, and for nobody else.
    static let otherClients = "kubernetes.io/kube-apiserver-client"

    /// About a request to that signer: it makes no nodes, and no gate.
    func otherClient(_ object: KubernetesObject) -> AdmissionReview.Answer {
        guard object.spec["signerName"]?.string == Self.otherClients else { return .allowed }
        guard let names = NodeCertificateRequest.statedSubject(object) else {
            return .refused(
                "RequestUnreadable", "The certificate request cannot be read, and nobody can say whom it names.")
        }
        let isReserved = names.contains {
            $0 == NodeName.group || $0.hasPrefix(NodeName.userPrefix) || $0.utf8.elementsEqual(gateUser.utf8)
        }
        guard isReserved else { return .allowed }
        return .refused(
            "SubjectIsReserved",
            "Requests to \(Self.otherClients) may not name a node, the group of nodes, or the gate: nodes ask \(NodeCertificateRequest.Signer.apiServerClientKubelet.rawValue)."
        )
    }

    /// About the approval of a request for a node's certificate: the gate approves, and nobody else. Everybody who may can deny.
    package func approval(_ review: AdmissionReview) -> AdmissionReview.Answer {
        guard let object = review.object else { return Self.without("object") }
        if case .refused(let reason, let message) = otherClient(object) { return .refused(reason, message) }
        let signer = object.spec["signerName"]?.string ?? "", oldSigner = review.oldObject?.spec["signerName"]?.string
        guard [signer, oldSigner ?? ""].contains(where: { NodeCertificateRequest.Signer(rawValue: $0) != nil }) else {
            return .allowed
        }
        let isApproved = { (request: KubernetesObject?) in
            (request?.status["conditions"]?.elements ?? []).contains { $0["type"]?.string == "Approved" }
        }
        guard isApproved(object), !isApproved(review.oldObject), !isGate(review) else { return .allowed }
        return .refused(
            "ApprovalIsTheGates",
            "Requests to \(shown(signer)) are approved by the gate, for machines that are attested, and by nobody else. The bindings that let others approve are found with carnet admission preflight."
        )
    }
}

/// Whether two texts have the same bytes.
func isSame(_ one: String?, _ other: String?) -> Bool { one.map { Array($0.utf8) } == other.map { Array($0.utf8) } }

/// At most a hundred characters of a stranger's text, none of which could move a terminal's cursor.
private func shown(_ text: String) -> String {
    String(decoding: text.utf8.prefix(100).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
}
