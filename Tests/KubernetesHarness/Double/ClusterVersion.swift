/// Which Kubernetes a double behaves as, where releases differ.
package enum ClusterVersion: Sendable, Hashable {
    /// 1.20, as Debian 12 has it: `spec.expirationSeconds` of a signing request is dropped, and the signer for kubelets wants the usage
    /// `key encipherment` for every key.
    case debian12
    /// 1.30: the field counts, and the usage is optional.
    case current

    /// As `/version` tells it.
    var text: String {
        switch self {
        case .debian12: "v1.20.2"
        case .current: "v1.30.0"
        }
    }
}
