/// What a watch tells.
package enum WatchEvent: Sendable {
    case added(KubernetesObject)
    case modified(KubernetesObject)
    case deleted(KubernetesObject)
    /// Nothing changed up to this version: from here a watch goes on.
    case bookmark(resourceVersion: String)

    /// Reads one line.
    ///
    /// - Throws: ``KubernetesError`` for an event `ERROR`, as what it tells, and for a line that is no event.
    init(parsing line: ArraySlice<UInt8>) throws(KubernetesError) {
        let json: JSONValue
        do throws(JSONValue.Unreadable) { json = try JSONValue(parsing: Array(line)) } catch {
            throw KubernetesError(.unreadable, "an event of a watch is no JSON: \(error)")
        }
        guard let object = json["object"], object.members != nil else {
            throw KubernetesError(.unreadable, "an event of a watch has no object")
        }
        switch json["type"]?.string {
        case "ADDED": self = .added(KubernetesObject(object))
        case "MODIFIED": self = .modified(KubernetesObject(object))
        case "DELETED": self = .deleted(KubernetesObject(object))
        case "BOOKMARK": self = .bookmark(resourceVersion: KubernetesObject(object).resourceVersion)
        case "ERROR":
            let status = object["code"]?.integer.flatMap { Int(exactly: $0) } ?? 500
            throw KubernetesError(status: status, body: object.bytes)
        default: throw KubernetesError(.unreadable, "an event of a watch is of no kind that there is")
        }
    }
}

extension KubernetesClient {
    /// Calls `body` with each change after a version, until the server ends the watch, which it does every few minutes, or an error.
    ///
    /// - Parameter seconds: After how long the server is to end it.
    package func watch(
        _ resource: Resource, from resourceVersion: String, fieldSelector: String? = nil, seconds: Int64 = 300,
        _ body: (WatchEvent) async throws -> Void
    ) async throws {
        var query = [
            ("watch", "1"), ("allowWatchBookmarks", "true"), ("resourceVersion", resourceVersion),
            ("timeoutSeconds", String(seconds)),
        ]
        if let fieldSelector { query.append(("fieldSelector", fieldSelector)) }
        try await lines(resource.path() + Self.text(of: query)) { line in
            try await body(WatchEvent(parsing: line))
        }
    }
}
