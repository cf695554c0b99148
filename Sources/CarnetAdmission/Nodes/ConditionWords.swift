import NodeAdmission
import StrictEncoding

/// What a node's condition says to people, with what to do.
enum ConditionWords {
    /// The condition's reason.
    static func reason(_ standing: NodeStanding?) -> String {
        switch standing {
        case .attested: "Attested"
        case .contraindicated: "Contraindicated"
        case .revoked: "Revoked"
        case .lapsed: "PassportLapsed"
        case .unreadable: "PassportNotAccepted"
        case .unknown: "CannotBeChecked"
        case nil: "NoPassport"
        }
    }

    /// The refusal that a condition's reason tells of.
    static func refusal(_ reason: String) -> NodeStanding? {
        [.contraindicated, .revoked].first { self.reason($0) == reason }
    }

    /// What is the matter. No word of it is the passport's.
    static func sentence(_ node: NodeSituation) -> String {
        switch node.standing {
        case .attested: ""
        case .contraindicated:
            "The verifier, or what this cluster demands, says no to the machine: carnet node findings \(node.name). "
        case .revoked:
            "The machine's passport was withdrawn: carnet revoke list, and carnet node findings \(node.name). "
        case .lapsed(let end):
            "The passport ran out at \(RFC3339.format(end)), and no newer one is shown: see carnet-agent kubelet on the machine, and carnet node findings \(node.name). "
        case .unreadable(let reason): String(reason.prefix(400)) + " "
        case .unknown(let reason):
            String(reason.prefix(400)) + " See the verifier, and the gate's log. "
        case nil:
            "The node shows no passport: run carnet-agent kubelet on it, and see carnet node list. "
        }
    }

    /// What follows from it: the end of the message, the same as long as the same follows.
    static func stage(
        _ node: NodeSituation, _ verdict: NodeVerdict, _ taint: UnattestedTaint?, _ limits: TaintLimits, isHeld: Bool
    ) -> String {
        if verdict.kind == .attested { return "The machine is attested." }
        if node.isExempt { return "The node is exempt from taints." }
        if isHeld {
            return
                "Its taint is held back: more than \(limits.maximumTaintedPercent) % of the nodes would have one. If that is right: carnet admission allow-taints --for 1h"
        }
        guard let taint else {
            return "It keeps its place until \(RFC3339.format(verdict.since + limits.lapseGrace))."
        }
        return taint.evicts ? "It is tainted NoExecute." : "It is tainted NoSchedule."
    }
}
