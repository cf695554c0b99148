internal import KubernetesAPI

/// The API server, asked with the node's own certificate: whichever that is now.
actor NodeClient {
    private var client: KubernetesClient?
    private var credential: NodeCredential?
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Takes a certificate into use. The connections of the one before are closed.
    func use(_ credential: NodeCredential, _ settings: KubeletSettings) async throws {
        guard credential != self.credential else { return }
        let next = try KubernetesClient(settings.cluster(credential)), last = client
        client = next
        self.credential = credential
        for continuation in waiting { continuation.resume() }
        waiting = []
        await last?.close()
    }

    /// The client; `nil` while there is no certificate.
    var present: KubernetesClient? { client }

    /// Waits until there is a certificate.
    func first() async -> KubernetesClient? {
        if client == nil, !Task.isCancelled {
            await withCheckedContinuation { waiting.append($0) }
        }
        return client
    }

    /// Lets go of everything.
    func close() async {
        for continuation in waiting { continuation.resume() }
        waiting = []
        await client?.close()
        client = nil
    }
}
