import CarnetCommandLine
import StrictEncoding

/// One subscription, as the verifier tells it.
struct WebhookEntry: Encodable {
    let id, name, url, state, failingSince, lastError, lastSuccessAt, createdAt, createdBy: String?
    let events: [String]
    let labels: [String: String]
    let failures, waiting: Int64?

    init(_ node: JSONNode) {
        id = node["id"]?.string
        name = node["name"]?.string
        url = node["url"]?.string
        state = node["state"]?.string
        failingSince = node["failing_since"]?.string
        lastError = node["last_error"]?.string
        lastSuccessAt = node["last_success_at"]?.string
        createdAt = node["created_at"]?.string
        createdBy = node["created_by"]?.string
        events = (node["events"]?.elements ?? []).compactMap(\.string)
        var labels: [String: String] = [:]
        for (name, value) in node["labels"]?.members ?? [] { labels[name] = value.string }
        self.labels = labels
        failures = node["failures"]?.integer
        waiting = node["waiting"]?.integer
    }

    /// The labels as they are given on the command line.
    var selection: String { labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ") }
}

extension OperatorOptions {
    /// All subscriptions.
    func webhooks() async throws -> [WebhookEntry] {
        (try await send("GET", "/admin/v1/webhooks")?["webhooks"]?.elements ?? []).map(WebhookEntry.init)
    }

    /// The subscription that is named by its name or its identifier.
    func webhook(_ name: String) async throws -> (entry: WebhookEntry, path: String) {
        let all = try await webhooks()
        guard let entry = all.first(where: { $0.name == name }) ?? all.first(where: { $0.id == name }),
            let id = entry.id, id.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { throw Failure(.refused, "There is no webhook \(name). See `carnet webhook list`.") }
        return (entry, "/admin/v1/webhooks/\(id)")
    }
}
