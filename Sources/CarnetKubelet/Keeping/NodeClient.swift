internal import KubernetesAPI

/// The API server, asked with the node's own certificate: whichever that is now.
actor NodeClient {
    /// The client; `nil` while there is no certificate.
    private(set) var present: KubernetesClient?
    private var credential: NodeCredential?

    /// Takes a certificate into use. The connections of the one before are closed.
    func use(_ credential: NodeCredential, _ settings: KubeletSettings) async throws {
        guard credential != self.credential else { return }
        let next = try KubernetesClient(settings.cluster(credential)), last = present
        present = next
        self.credential = credential
        await last?.close()
    }

    /// Lets go of everything.
    func close() async {
        await present?.close()
        present = nil
    }
}
