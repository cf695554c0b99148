@testable import CarnetAdmission
import KubernetesAPI
import NodeAdmission
import Testing

/// The gate's marks among everybody else's.
@Suite("Marks on nodes") struct MarkTests {
    private let others: [JSONValue] = [
        ["key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"],
        ["key": "example.org/gpu", "value": "a", "effect": "NoSchedule", "unknownMember": ["x": .number("1.5")]],
    ]

    @Test("Other taints stay as they are, and in their order") func taints() {
        let own = UnattestedTaint(.revoked, evicts: true, since: 1_800_000_000)
        let set = UnattestedTaint.replaced(in: others, by: own, at: 0)
        #expect(Array(set.prefix(2)) == others && set.count == 4)
        #expect(UnattestedTaint(set) == own)
        #expect(UnattestedTaint.replaced(in: set, by: nil, at: 0) == others)
        let other = UnattestedTaint(.lapsed, since: 1_800_000_000)
        #expect(UnattestedTaint(UnattestedTaint.replaced(in: set, by: other, at: 0)) == other)
        #expect(UnattestedTaint(others) == nil)
    }

    @Test("The shortest form of a taint is one taint, which says no, keeps its time, and is no longer than another")
    func shortest() {
        for reason in TaintReason.allCases {
            for evicts in [false, true] {
                let taint = UnattestedTaint(reason, evicts: evicts, since: 1_800_000_000)
                let set = UnattestedTaint.replaced(in: [], by: taint.shortest, at: 0), read = UnattestedTaint(set)
                #expect(set.count == 1 && read?.since == taint.since && read?.evicts == evicts)
                #expect(read?.isInForce == true && (read?.reason == .revoked) == reason.isRefusal)
                // What puts pods off is no longer than what held them back.
                let first = UnattestedTaint.replaced(in: [], by: UnattestedTaint(reason, since: 1_800_000_000), at: 0)
                #expect(JSONValue.array(set).bytes.count <= JSONValue.array(first).bytes.count)
            }
        }
    }

    @Test("A taint that somebody else wrote is read for the worst") func foreign() {
        let strange: [JSONValue] = [["key": "carnet.dev/unattested", "value": "fine", "effect": "NoSchedule"]]
        #expect(UnattestedTaint(strange) == UnattestedTaint(.never))
        let two: [JSONValue] = [
            ["key": "carnet.dev/unattested", "value": "lapsed", "effect": "NoSchedule"],
            ["key": "carnet.dev/unattested", "value": "revoked", "effect": "NoExecute"],
        ]
        #expect(UnattestedTaint(two) == UnattestedTaint(.revoked, evicts: true))
    }

    @Test("A condition is read as it was written, among others, and is not long") func conditions() {
        let ready: JSONValue = ["type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-01T00:00:00Z"]
        let own = NodeCondition(status: "False", reason: "Revoked", message: "m", since: 1_800_000_000)
        #expect(NodeCondition([ready, own.json(at: 1_800_000_100)]) == own)
        let long = NodeCondition(status: "False", reason: "R", message: String(repeating: "x", count: 5000), since: 0)
        #expect((long.json(at: 0)["message"]?.string?.count ?? 0) <= 1024)
    }

    @Test("A passport that is too long to be one is not looked at") func longPassport() {
        let node = KubernetesObject([
            "metadata": ["annotations": [NodeMark.passport: .string(String(repeating: "a", count: 20_000))]]
        ])
        #expect(NodeView(node).passport?.isEmpty == true)
    }

    @Test(
        "An operator's word counts until its time, and none that is too far ahead",
        arguments: [
            ("2027-01-15T08:00:01Z", true), ("2027-01-15T08:00:00Z", false), ("2027-01-16T08:00:00Z", true),
            ("2027-01-16T08:01:01Z", false), ("2099-01-01T00:00:00Z", false), ("tomorrow", false), ("", false),
        ])
    func word(text: String, counts: Bool) {
        // 2027-01-15T08:00:00Z
        let object = KubernetesObject(["data": ["taint-until": .string(text)]])
        #expect((OperatorsWord.end(in: object, at: 1_800_000_000) != nil) == counts)
        #expect(OperatorsWord.end(in: KubernetesObject(["data": [:]]), at: 0) == nil)
    }

    @Test("A passport serves one request of a signer, and the same request as often as needed") func used() {
        let used = UsedPassports()
        #expect(used.take("p", .apiServerClientKubelet, for: "1", at: 0))
        #expect(used.take("p", .apiServerClientKubelet, for: "1", at: 0))
        #expect(!used.take("p", .apiServerClientKubelet, for: "2", at: 0))
        #expect(used.take("p", .kubeletServing, for: "2", at: 0))
        used.note("q", .kubeletServing, for: "3", at: 0)
        #expect(!used.take("q", .kubeletServing, for: "4", at: 0))
        // However many come after it, it is remembered for two hours.
        for index in 0..<3000 { _ = used.take("p\(index)", .kubeletServing, for: "r\(index)", at: 7000) }
        #expect(!used.take("q", .kubeletServing, for: "4", at: 7199))
        for index in 3000..<6000 { _ = used.take("p\(index)", .kubeletServing, for: "r\(index)", at: 7200) }
        #expect(used.take("q", .kubeletServing, for: "4", at: 7200))
    }
}
