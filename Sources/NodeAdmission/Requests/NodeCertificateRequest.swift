/// A Kubernetes CertificateSigningRequest (certificates.k8s.io/v1), as far as admission looks at it.
///
/// The API server fills in who asked; everything else is the requester's. The spec of such an object never changes once it exists.
public struct NodeCertificateRequest: Sendable, Hashable {
    /// Who is asked to sign. Other signers' requests are nothing to Carnet.
    public enum Signer: String, Sendable, Hashable, CaseIterable {
        /// Client certificates with which kubelets talk to the API server.
        case apiServerClientKubelet = "kubernetes.io/kube-apiserver-client-kubelet"
        /// Server certificates of the kubelets' own API.
        case kubeletServing = "kubernetes.io/kubelet-serving"
    }

    /// The object's name, for messages.
    public let name: String
    public let signer: Signer
    /// `spec.request` without its base64: PEM text.
    public let request: [UInt8]
    /// `spec.usages`.
    public let usages: [String]
    /// `spec.expirationSeconds`: the life that is asked for; `nil` when the signer is to choose.
    public let expirationSeconds: Int64?
    /// `spec.username`: the requester, as the API server authenticated it.
    public let username: String
    /// `spec.groups`: the requester's groups.
    public let groups: [String]
    /// `metadata.creationTimestamp` in seconds since 1970, where it is known.
    public let createdAt: Int64?

    /// A request.
    public init(
        name: String, signer: Signer, request: [UInt8], usages: [String], expirationSeconds: Int64?, username: String,
        groups: [String], createdAt: Int64? = nil
    ) {
        self.name = name
        self.signer = signer
        self.request = request
        self.usages = usages
        self.expirationSeconds = expirationSeconds
        self.username = username
        self.groups = groups
        self.createdAt = createdAt
    }
}
