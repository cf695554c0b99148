import KubernetesAPI
import NodeAdmission
import StrictEncoding

/// What the controller keeps of a Node.
struct NodeView: Sendable, Hashable {
    let name: String
    let uid: String
    let resourceVersion: String
    /// Seconds since 1970.
    let createdAt: Int64
    /// The passport that it shows; empty for one that is too long to be one.
    let passport: String?
    let taint: UnattestedTaint?
    let isLabelled: Bool
    let condition: NodeCondition?

    init(_ object: KubernetesObject) {
        name = object.name
        uid = object.uid
        resourceVersion = object.resourceVersion
        createdAt = object.creationTimestamp.flatMap { RFC3339.parse($0) } ?? 0
        passport = object.annotations[NodeMark.passport].map {
            $0.utf8.count <= NodeMark.maximumPassportByteCount ? $0 : ""
        }
        taint = UnattestedTaint(object.spec["taints"]?.elements ?? [])
        isLabelled = object.labels[NodeMark.label] != nil
        condition = NodeCondition(object.status["conditions"]?.elements ?? [])
    }

    /// The addresses that a Node states.
    static func addresses(of object: KubernetesObject) -> [String] {
        (object.status["addresses"]?.elements ?? []).compactMap { $0["address"]?.string }
    }
}

extension UnattestedTaint {
    /// The gate's taint among a node's; `nil` when there is none. A value that the gate does not write counts as `never`.
    init?(_ taints: [JSONValue]) {
        let own = taints.filter { $0["key"]?.string == NodeMark.taint }
        guard !own.isEmpty else { return nil }
        let effects = Set(own.compactMap { $0["effect"]?.string })
        let reasons = own.compactMap { $0["value"]?.string.flatMap(TaintReason.init(rawValue:)) }
        self.init(
            reasons.first(where: \.isRefusal) ?? reasons.first ?? .never, holdsBack: effects.contains("NoSchedule"),
            evicts: effects.contains("NoExecute"),
            since: own.compactMap { $0["timeAdded"]?.string.flatMap { RFC3339.parse($0) } }.min())
    }

    /// A node's taints with this one in the place of what the gate wrote before, and everybody else's as they are.
    static func replaced(in taints: [JSONValue], by taint: UnattestedTaint?, at now: Int64) -> [JSONValue] {
        var next = taints.filter { $0["key"]?.string != NodeMark.taint }
        guard let taint else { return next }
        let time = JSONValue.string(RFC3339.format(taint.since ?? now))
        for (effect, isWanted) in [("NoSchedule", taint.holdsBack), ("NoExecute", taint.evicts)] where isWanted {
            next.append([
                "key": .string(NodeMark.taint), "value": .string(taint.reason.rawValue), "effect": .string(effect),
                "timeAdded": time,
            ])
        }
        return next
    }
}

extension NodeCondition {
    /// The gate's condition among a node's.
    init?(_ conditions: [JSONValue]) {
        guard let own = conditions.first(where: { $0["type"]?.string == NodeMark.condition }) else { return nil }
        self.init(
            status: own["status"]?.string ?? "", reason: own["reason"]?.string ?? "",
            message: own["message"]?.string ?? "",
            since: own["lastTransitionTime"]?.string.flatMap { RFC3339.parse($0) } ?? 0)
    }

    /// The refusal that it tells of.
    var refusal: NodeStanding? { isTrue ? nil : ConditionWords.refusal(reason) }

    /// The condition as it is written at a time.
    func json(at now: Int64) -> JSONValue {
        [
            "type": .string(NodeMark.condition), "status": .string(status), "reason": .string(reason),
            "message": .string(String(message.prefix(1000))), "lastTransitionTime": .string(RFC3339.format(since)),
            "lastHeartbeatTime": .string(RFC3339.format(now)),
        ]
    }
}
