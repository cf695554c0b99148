package import KubernetesAPI
internal import StrictEncoding

extension ClusterConfiguration {
    /// The text of a kubeconfig for this cluster, whose certificate and key are in one file: kubelets read it again when it changes.
    package func kubeletConfiguration(credentialFile file: String, node: String) -> String {
        var cluster = ["    server: \(Self.quoted(server))"]
        switch authority {
        case .system: break
        case .file(let path): cluster.append("    certificate-authority: \(Self.quoted(path))")
        case .data(let bytes): cluster.append("    certificate-authority-data: \(Base64.encode(bytes))")
        }
        return """
            apiVersion: v1
            kind: Config
            clusters:
            - name: cluster
              cluster:
            \(cluster.joined(separator: "\n"))
            users:
            - name: \(Self.quoted("system:node:" + node))
              user:
                client-certificate: \(Self.quoted(file))
                client-key: \(Self.quoted(file))
            contexts:
            - name: kubelet
              context:
                cluster: cluster
                user: \(Self.quoted("system:node:" + node))
            current-context: kubelet

            """
    }

    /// A text in quotation marks, as JSON writes it, which YAML reads too.
    private static func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        writer.element(text)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
