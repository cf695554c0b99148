internal import Cryptography

extension AdmissionRules {
    /// Host names of a serving certificate: the node's own, alone or in a domain of the cluster.
    func checkNames(in presented: PresentedRequest, _ signer: NodeCertificateRequest.Signer) throws(Denial) {
        guard signer == .kubeletServing, let names = presented.certificateRequest.alternativeNames else { return }
        let allowed = Set([presented.node] + serving.suffixes.map { presented.node + "." + $0 }.sorted())
        for name in names.dns where !allowed.contains(where: { PresentedRequest.isEqual($0, name) }) {
            throw Denial(
                .alternativeNamesNotAllowed, "The host name \(shown(name)) is not the node's",
                nextStep: "Ask for \(presented.node), or let the cluster's operator allow its domain (--serving-suffix)"
            )
        }
    }

    /// Addresses of a serving certificate: this node's, and no other's.
    ///
    /// - Returns: Why it is too early to say; `nil` when every address is the node's.
    func checkAddresses(
        of presented: PresentedRequest, _ signer: NodeCertificateRequest.Signer, _ known: KnownNode?
    ) throws(Denial) -> Denial? {
        guard signer == .kubeletServing, let names = presented.certificateRequest.alternativeNames,
            !names.addresses.isEmpty
        else { return nil }
        let others = Set((known?.addressesOfOthers ?? []).compactMap { NodeAddress($0) })
        let own = Set((known?.addresses ?? []).compactMap { NodeAddress($0) })
        var early: Denial?
        for bytes in names.addresses {
            guard let address = NodeAddress(bytes: bytes), address.isHost,
                serving.networks.isEmpty || serving.networks.contains(where: { $0.contains(address) })
            else {
                throw Denial(
                    .addressNotTheNodes,
                    "The address \(NodeAddress(bytes: bytes).map(\.description) ?? "of another length") is none that a node can have here",
                    nextStep: "Ask for the node's own addresses, or let the cluster's operator allow their network")
            }
            guard !serving.reserved.contains(where: { NodeAddress($0) == address }) else {
                throw Denial(
                    .addressNotTheNodes, "The address \(address) is the API server's",
                    nextStep: "Ask for the node's own addresses")
            }
            if others.contains(address) {
                // Any node can say that it has an address: a lie must not be the end of an honest request.
                early = Denial(
                    .addressIsAnothers, "Another node says that it has the address \(address)",
                    nextStep: "Remove the other Node object if that machine is gone; else one of the two is lying")
            } else if known == nil {
                early = Denial(
                    .nodeNotKnown, "The cluster has no Node \(presented.node) yet, whose addresses could be compared",
                    nextStep: "Wait until the kubelet has registered it")
            } else if !own.contains(address) {
                early = Denial(
                    .addressNotTheNodes, "The Node \(presented.node) does not have the address \(address)",
                    nextStep: "Wait until the kubelet has stated its addresses, or ask for those that it has")
            }
        }
        return early
    }
}
