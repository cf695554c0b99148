package import KubernetesAPI

/// What a node's credential is asked for with, and where it goes.
package struct KubeletSettings: Sendable {
    /// The node's name.
    package var node: String
    /// The bootstrap kubeconfig: asked with where the node has no certificate of its own that counts; `nil` where it always has.
    package var bootstrapKubeconfig: String?
    /// The kubeconfig that is written for the kubelet; its certificate lies beside it.
    package var kubeconfig: String
    /// The file of certificate and key.
    package var credentialFile: String
    /// The life that is asked for, in seconds.
    package var life: Int64 = 14_400
    /// Whether the usage `key encipherment` is asked for too, without which signers before Kubernetes 1.27 sign nothing. For keys on curves
    /// it means nothing (RFC 8813 §3).
    package var asksKeyEncipherment = false
    /// The folder for a serving certificate; `nil` for none.
    package var servingDirectory: String?
    /// How long a request may wait for a decision, in seconds; never longer than its passport lives.
    package var patience: Int64 = 900

    /// Settings.
    package init(node: String, bootstrapKubeconfig: String?, kubeconfig: String, credentialFile: String) {
        self.node = node
        self.bootstrapKubeconfig = bootstrapKubeconfig
        self.kubeconfig = kubeconfig
        self.credentialFile = credentialFile
    }

    /// The file of the serving certificate and its key.
    package var servingFile: String? { servingDirectory.map { $0 + "/kubelet-serving.pem" } }

    /// The cluster, asked with the bootstrap token.
    func bootstrap() throws -> ClusterConfiguration {
        guard let bootstrapKubeconfig else {
            throw KubeletError(
                .credential,
                "The node has no certificate that counts, and there is no bootstrap kubeconfig to ask with: give --bootstrap-kubeconfig."
            )
        }
        return try Kubeconfig(file: bootstrapKubeconfig).configuration
    }

    /// The cluster as the kubelet's kubeconfig, or else the bootstrap one, names it; asked with this credential.
    func cluster(_ credential: NodeCredential) throws -> ClusterConfiguration {
        var configuration: ClusterConfiguration
        if let bootstrapKubeconfig, let given = try? Kubeconfig(file: bootstrapKubeconfig).configuration {
            configuration = given
        } else {
            configuration = try Kubeconfig(file: kubeconfig).configuration
        }
        configuration.credential = .certificate(certificate: .data(credential.pem), key: .data(credential.pem))
        return configuration
    }
}
