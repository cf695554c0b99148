import CarnetRecords
import CarnetAppraisal
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/webhooks`: who is told what, and whether it arrives.
struct AdminWebhookRoutes: Sendable {
    let webhooks: WebhookStore
    let rules: ReceiverRules
    let clock: WallClock

    var routes: [Route] { readingRoutes + changingRoutes }

    private var readingRoutes: [Route] {
        [
            Route(.get, "/admin/v1/webhooks", access: .operator(atLeast: .viewer)) { request in
                let list = try await webhooks.list()
                return .json(
                    JSONWriter.object { writer in
                        writer.array("webhooks") { writer in
                            for status in list { writer.object { $0.members(of: status, for: request.principal) } }
                        }
                    })
            },
            Route(.get, "/admin/v1/webhooks/{id}", access: .operator(atLeast: .viewer)) { request in
                guard let status = try await webhooks.list(try request.pathParameter("id")).first else {
                    throw Self.unknown
                }
                return .json(JSONWriter.object { $0.members(of: status, for: request.principal) })
            },
            Route(.get, "/admin/v1/webhooks/{id}/deliveries", access: .operator(atLeast: .viewer)) { request in
                try request.query.requireOnly(["limit"])
                let limit = try AdminAppraisalRoutes.limit(request.query["limit"])
                guard let list = try await webhooks.deliveries(of: try request.pathParameter("id"), limit) else {
                    throw Self.unknown
                }
                return .json(
                    JSONWriter.object { writer in
                        writer.array("deliveries") { writer in
                            for record in list { writer.object { $0.members(of: record) } }
                        }
                    })
            },
        ]
    }

    private var changingRoutes: [Route] {
        [
            Route(
                .post, "/admin/v1/webhooks", access: .operator(atLeast: .admin), accepts: ["application/json"],
                upTo: 16_384
            ) { request in
                let body = try RequestObject(request.body)
                try body.requireOnly(["name", "url", "events", "labels"])
                let (subscription, secret) = try await webhooks.add(
                    name: try Self.name(body), url: try url(body), events: try Self.events(body),
                    labels: try Self.labels(body), by: request.principal?.id ?? "", now: clock.now)
                request.logger.notice("webhook added", metadata: ["webhook": .string(subscription.id)])
                let status = WebhookStatus(
                    subscription: subscription, receiver: ReceiverState(), waiting: 0, lastError: nil)
                return .json(
                    JSONWriter.object { writer in
                        writer.members(of: status, for: request.principal)
                        writer.string("secret", secret)
                    }, status: .created)
            },
            Route(.delete, "/admin/v1/webhooks/{id}", access: .operator(atLeast: .admin)) { request in
                let id = try request.pathParameter("id")
                guard try await webhooks.remove(id, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Self.unknown
                }
                request.logger.notice("webhook removed", metadata: ["webhook": .string(id)])
                return .noContent
            },
            Route(.post, "/admin/v1/webhooks/{id}/test", access: .operator(atLeast: .admin)) { request in
                let id = try request.pathParameter("id")
                guard try await webhooks.test(id, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Self.unknown
                }
                return ServiceResponse(.accepted, "application/json", Array("{}".utf8))
            },
            Route(
                .post, "/admin/v1/webhooks/{id}/secret", access: .operator(atLeast: .admin),
                accepts: ["application/json"], upTo: 1024
            ) { request in
                let body = try RequestObject(request.body), id = try request.pathParameter("id")
                try body.requireOnly(["overlap_seconds"])
                let overlap = try Self.overlap(body)
                let secret = try await webhooks.rotateSecret(
                    of: id, overlap: overlap, by: request.principal?.id ?? "", now: clock.now)
                guard let secret else { throw Self.unknown }
                request.logger.notice("webhook secret rotated", metadata: ["webhook": .string(id)])
                return .json(JSONWriter.object { $0.string("secret", secret) })
            },
        ]
    }

    private static let unknown = Problem.notFound("There is no webhook with this identifier.")

    private static func name(_ body: RequestObject) throws(Problem) -> String {
        let name = try body.string("name", upTo: 64)
        guard !name.isEmpty, NodeSelector.isLabel(name), !name.contains("/") else {
            throw .malformed("A name has 1 to 63 letters, digits, '.', '-' and '_'.", member: "name")
        }
        return name
    }

    private func url(_ body: RequestObject) throws(Problem) -> WebhookURL {
        let text = try body.string("url", upTo: 2048)
        do throws(WebhookURL.Unusable) {
            return try WebhookURL(text, rules)
        } catch {
            throw .malformed(error.reason, member: "url")
        }
    }

    /// Without the member, everything there is.
    private static func events(_ body: RequestObject) throws(Problem) -> [WebhookEventKind] {
        guard let member = body.node["events"] else { return WebhookEventKind.subscribable }
        let known = WebhookEventKind.subscribable
        let kinds = (member.elements ?? []).map { $0.string.flatMap(WebhookEventKind.init) }
        guard !kinds.isEmpty, kinds.count <= known.count, kinds.allSatisfy({ $0.map(known.contains) ?? false }),
            Set(kinds).count == kinds.count
        else {
            let words = known.map(\.rawValue).joined(separator: ", ")
            throw .malformed("An array of some of \(words) is needed, each once.", member: "events")
        }
        return kinds.compactMap { $0 }
    }

    private static func labels(_ body: RequestObject) throws(Problem) -> NodeLabels {
        guard let member = body.node["labels"] else { return .none }
        let members = (member.members ?? []).map { ($0.name, $0.value.string ?? "") }
        guard member.isObject, let labels = NodeLabels(Dictionary(members) { first, _ in first }) else {
            throw .malformed("An object of at most 32 labels and their values is needed.", member: "labels")
        }
        return labels
    }

    private static func overlap(_ body: RequestObject) throws(Problem) -> Int64 {
        guard let member = body.node["overlap_seconds"] else { return WebhookStore.overlap }
        guard let seconds = member.integer, (0...WebhookStore.longestOverlap).contains(seconds) else {
            throw .malformed("0 to \(WebhookStore.longestOverlap) seconds are needed.", member: "overlap_seconds")
        }
        return seconds
    }
}

extension JSONWriter {
    /// A subscription. The path of its URL may be a secret of the receiver's: only administrators are told.
    fileprivate mutating func members(of status: WebhookStatus, for principal: Principal?) {
        let subscription = status.subscription
        string("id", subscription.id)
        string("name", subscription.name)
        let scheme = subscription.url.hasPrefix("https://") ? 8 : 7
        let origin = subscription.url.prefix(scheme) + subscription.url.dropFirst(scheme).prefix { $0 != "/" }
        string("url", principal?.role == .admin ? subscription.url : origin + "/…")
        array("events") { writer in for kind in subscription.events { writer.element(kind.rawValue) } }
        object("labels") { writer in
            for (name, value) in subscription.labels.values.sorted(by: { $0.key < $1.key }) {
                writer.string(named: name, value)
            }
        }
        string("state", status.state)
        integer("failures", status.receiver.failures)
        if let since = status.receiver.failingSince { string("failing_since", RFC3339.format(since)) }
        if let error = status.lastError { string("last_error", error) }
        if let time = status.receiver.lastSuccessAt { string("last_success_at", RFC3339.format(time)) }
        integer("waiting", status.waiting)
        string("created_at", RFC3339.format(subscription.createdAt))
        string("created_by", subscription.createdBy)
    }

    fileprivate mutating func members(of record: WebhookDeliveryRecord) {
        string("id", record.id)
        string("event", record.event)
        string("lane", record.lane)
        integer("number", record.number)
        string("state", record.state)
        integer("attempts", record.attempts)
        string("created_at", RFC3339.format(record.createdAt))
        if record.state == "waiting" { string("next_at", RFC3339.format(record.nextAt)) }
        if let time = record.endedAt { string("ended_at", RFC3339.format(time)) }
        if let status = record.lastStatus { integer("last_status", status) }
        if let error = record.lastError { string("last_error", error) }
    }
}
