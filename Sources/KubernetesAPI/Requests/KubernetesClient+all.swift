extension KubernetesClient {
    /// A whole list, read in parts of 500. A list that changes meanwhile so that it cannot be gone on with is `gone`.
    package func all(_ resource: Resource) async throws(KubernetesError) -> [KubernetesObject] {
        var objects: [KubernetesObject] = [], next: String?
        repeat {
            let page = try await list(resource, limit: 500, after: next)
            objects += page.objects
            next = page.next
        } while next != nil
        return objects
    }
}
