import Cryptography
import KubernetesAPI
import Logging
import StrictEncoding

/// What an event is about.
struct EventSubject: Sendable, Hashable {
    let kind: String
    let apiVersion: String
    let name: String
    let uid: String

    /// An object.
    init(_ object: KubernetesObject, kind: String, apiVersion: String = "v1") {
        self.init(kind: kind, apiVersion: apiVersion, name: object.name, uid: object.uid)
    }

    init(kind: String, apiVersion: String = "v1", name: String, uid: String) {
        self.kind = kind
        self.apiVersion = apiVersion
        self.name = name
        self.uid = uid
    }
}

/// Tells of what happens in events of the cluster: as well as it can, and never in the way of what happens.
struct EventRecorder: Sendable {
    /// How much an event matters.
    enum Weight: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    private struct Event: Sendable {
        let subject: EventSubject
        let weight: Weight
        let reason: String
        let message: String
        let time: Int64
    }

    private let client: KubernetesClient
    private let identity: String
    private let now: @Sendable () -> Int64
    private let events: AsyncStream<Event>
    private let input: AsyncStream<Event>.Continuation

    /// How many events wait at most; the oldest of more are not told.
    private static let capacity = 512

    init(_ client: KubernetesClient, identity: String, now: @escaping @Sendable () -> Int64) {
        self.client = client
        self.identity = identity
        self.now = now
        (events, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.capacity))
    }

    /// Tells of something, as soon as it is its turn.
    ///
    /// - Parameters:
    ///   - reason: In CamelCase.
    ///   - message: At most 1,000 characters are told.
    func tell(_ subject: EventSubject, _ weight: Weight, _ reason: String, _ message: String) {
        input.yield(
            Event(
                subject: subject, weight: weight, reason: reason, message: String(message.prefix(1000)), time: now()))
    }

    /// Writes events until the task is cancelled, or this replica leads no longer.
    func run(_ leadership: Leadership, _ logger: Logger) async {
        for await event in events {
            guard leadership.holds else { return }
            do {
                try await client.create(.events(), object(event), timeout: 5)
            } catch {
                logger.debug("an event is not written", metadata: ["reason": .string("\(error)")])
            }
        }
    }

    /// Events about objects of the whole cluster are in the namespace `default`.
    private func object(_ event: Event) -> KubernetesObject {
        let time = JSONValue.string(RFC3339.format(event.time))
        let name = event.subject.name.prefix(200) + "." + Hexadecimal.encode(SecureRandom.bytes(8))
        return KubernetesObject([
            "apiVersion": "v1", "kind": "Event",
            "metadata": ["name": .string(String(name)), "namespace": "default"],
            "involvedObject": [
                "kind": .string(event.subject.kind), "apiVersion": .string(event.subject.apiVersion),
                "name": .string(event.subject.name), "uid": .string(event.subject.uid),
            ],
            "type": .string(event.weight.rawValue), "reason": .string(event.reason),
            "message": .string(event.message), "source": ["component": "carnet-admission"],
            "reportingComponent": "carnet-admission", "reportingInstance": .string(identity),
            "firstTimestamp": time, "lastTimestamp": time, "count": 1,
        ])
    }
}
