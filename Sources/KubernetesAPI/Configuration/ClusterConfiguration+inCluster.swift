extension ClusterConfiguration {
    /// Where the kubelet puts a service account's files. Source: Kubernetes documentation, “Accessing the Kubernetes API from a Pod”.
    package static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// The configuration of a pod: the API server by the two variables of the environment, and the service account's files.
    ///
    /// - Throws: ``Unusable`` outside of a pod, with what to do there.
    package static func inCluster(
        _ environment: [String: String], folder: String = serviceAccountFolder
    ) throws(Unusable) -> ClusterConfiguration {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let port = environment["KUBERNETES_SERVICE_PORT"], UInt16(port) != nil
        else {
            throw Unusable(
                "This is no pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set. Give --kubeconfig.")
        }
        return try ClusterConfiguration(
            server: "https://" + (host.contains(":") ? "[\(host)]" : host) + ":" + port,
            authority: .file(folder + "/ca.crt"), credential: .tokenFile(folder + "/token"))
    }

    /// The namespace in which a pod runs; `nil` outside of one.
    package static func namespace(folder: String = serviceAccountFolder) -> String? {
        guard let bytes = SmallFile.read(folder + "/namespace", upTo: 253) else { return nil }
        let text = String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }
}
