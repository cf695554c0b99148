extension AdmissionRules {
    /// A node's kubelet asks for itself. For its first client certificate, and for no other, somebody in a bootstrap group asks.
    func checkRequester(of request: NodeCertificateRequest, for node: String) throws(Denial) {
        if request.username.hasPrefix(NodeName.userPrefix) {
            guard PresentedRequest.isEqual(request.username, NodeName.userPrefix + node),
                request.groups.contains(NodeName.group)
            else {
                throw Denial(
                    .requesterIsAnotherNode,
                    "\(shown(request.username)) asks for \(node), and a kubelet asks for its own node only",
                    nextStep: "Let \(node) ask, with its own certificate or a bootstrap token")
            }
            return
        }
        guard request.signer == .apiServerClientKubelet, !bootstrapGroups.isDisjoint(with: request.groups) else {
            let who =
                request.signer == .apiServerClientKubelet
                ? "is in no group that may ask for a node's first certificate"
                : "is not the kubelet of \(node), which asks for its serving certificate itself"
            throw Denial(
                .requesterNotAllowed, "\(shown(request.username)) \(who)",
                nextStep: "Ask with a bootstrap token first, and then with the node's own certificate")
        }
    }

    /// Exactly what a kubelet needs. `key encipherment` is what RSA keys once needed, and kubelets may still ask for it.
    func checkUsages(of request: NodeCertificateRequest) throws(Denial) {
        let purpose = request.signer == .apiServerClientKubelet ? "client auth" : "server auth"
        let needed: Set = ["digital signature", purpose]
        let asked = Set(request.usages)
        guard asked.count == request.usages.count, asked == needed || asked == needed.union(["key encipherment"]) else {
            throw Denial(
                .usagesNotAllowed,
                "The usages are \(shown(request.usages.joined(separator: ", "))), not digital signature and \(purpose)",
                nextStep: "Ask with carnet-agent kubelet, or correct spec.usages")
        }
    }

    /// A short life, asked for in so many words: else the signer chooses a year.
    func checkLife(of request: NodeCertificateRequest) throws(Denial) {
        let range = Self.minimumCertificateLife...maximumCertificateLife
        guard let life = request.expirationSeconds else {
            guard allowsUnboundedLife else {
                throw Denial(
                    .lifeNotAllowed, "The request names no life (spec.expirationSeconds)",
                    nextStep:
                        "Ask for \(range.lowerBound) to \(range.upperBound) seconds; an API server before 1.22 drops what was asked for"
                )
            }
            return
        }
        guard range.contains(life) else {
            throw Denial(
                .lifeNotAllowed, "The request asks for \(life) seconds (spec.expirationSeconds)",
                nextStep: "Ask for \(range.lowerBound) to \(range.upperBound) seconds")
        }
    }
}
