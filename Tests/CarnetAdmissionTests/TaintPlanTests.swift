import CarnetAdmission
import NodeAdmission
import Testing

/// What follows for nodes from how they stand. The clock stands at 1,000,000 seconds; the limits are the usual ones: 600 seconds to
/// `NoSchedule`, 3,600 to `NoExecute`, 300 from a refusal to `NoExecute`, and a fifth of the nodes.
@Suite("Plan of taints") struct TaintPlanTests {
    private static let now: Int64 = 1_000_000
    private let limits = TaintLimits()

    private func plan(
        _ nodes: [NodeSituation], at now: Int64 = now, isAllowed: Bool = false,
        _ change: (inout TaintLimits) -> Void = { _ in }
    ) -> TaintPlan {
        var limits = limits
        change(&limits)
        return TaintPlan(nodes, limits, at: now, isAllowed: isAllowed)
    }

    /// A node that was attested once.
    private static func node(
        _ standing: NodeStanding?, _ name: String = "node-1", taint: UnattestedTaint? = nil,
        condition: NodeCondition? = nil, isLabelled: Bool = true, createdAt: Int64 = 0, knownSince: Int64? = nil,
        isExempt: Bool = false
    ) -> NodeSituation {
        NodeSituation(
            name, standing, taint: taint, isLabelled: isLabelled, condition: condition, createdAt: createdAt,
            knownSince: knownSince, isExempt: isExempt)
    }

    private static func condition(_ status: String, since: Int64, message: String = "") -> NodeCondition {
        NodeCondition(status: status, reason: "R", message: message, since: since)
    }

    /// The effects of a node's taint: `-`, `S`, `SE`.
    private func effects(_ node: NodeSituation, at now: Int64 = now) -> String {
        guard let taint = plan([node], at: now).marks[node.name]?.taint else { return "-" }
        return (taint.holdsBack ? "S" : "") + (taint.evicts ? "E" : "")
    }

    @Test("An attested node has the label, no taint, and a condition that says so") func attested() throws {
        let marks = try #require(
            plan([
                Self.node(
                    .attested(from: Self.now, until: Self.now + 300), taint: UnattestedTaint(.revoked, evicts: true))
            ])
            .marks["node-1"])
        #expect(marks.taint == nil && marks.isLabelled)
        #expect(marks.condition.status == "True" && marks.condition.reason == "Attested")
    }

    @Test(
        "A node whose passport ran out keeps its place for a while, is then held back, and then put off",
        arguments: [(0, "-"), (599, "-"), (600, "S"), (3599, "S"), (3600, "SE"), (1_000_000, "SE")])
    func lapsed(age: Int64, expected: String) {
        let node = Self.node(.lapsed(at: Self.now - age))
        #expect(effects(node) == expected)
        #expect(plan([node]).marks["node-1"]?.isLabelled == (expected == "-"))
        #expect(plan([node]).marks["node-1"]?.condition.status == "False")
    }

    @Test(
        "A node whose passport cannot be checked is as one that lapsed when that began",
        arguments: [(0, "-"), (599, "-"), (600, "S"), (3600, "SE")])
    func unknown(age: Int64, expected: String) {
        // By the gate's memory; after a restart by the condition; the older counts, and nothing from the future.
        #expect(effects(Self.node(.unknown(reason: "r"), knownSince: Self.now - age)) == expected)
        let written = Self.condition("Unknown", since: Self.now - age)
        #expect(effects(Self.node(.unknown(reason: "r"), condition: written)) == expected)
        #expect(effects(Self.node(.unknown(reason: "r"), condition: written, knownSince: Self.now)) == expected)
        let future = Self.condition("Unknown", since: Self.now + 5000)
        #expect(effects(Self.node(.unknown(reason: "r"), condition: future, knownSince: Self.now - age)) == expected)
        #expect(plan([Self.node(.unknown(reason: "r"))]).marks["node-1"]?.condition.status == "Unknown")
    }

    @Test("What was unknown first and lapsed later counts from the first") func unknownThenLapsed() throws {
        let written = Self.condition("Unknown", since: Self.now - 700)
        let node = Self.node(.lapsed(at: Self.now - 10), condition: written)
        #expect(effects(node) == "S")
        // The time of the condition stays as long as the node is not attested, so that the count does.
        #expect(plan([node]).marks["node-1"]?.condition.since == Self.now - 700)
        let attested = Self.condition("True", since: Self.now - 700)
        #expect(effects(Self.node(.unknown(reason: "r"), condition: attested)) == "-")
        #expect(
            plan([Self.node(.unknown(reason: "r"), condition: attested)]).marks["node-1"]?.condition.since == Self.now)
    }

    @Test("A refused node is held back at once, and put off when the taint has stood for a while")
    func refused() {
        for (standing, reason) in [(NodeStanding.contraindicated, TaintReason.contraindicated), (.revoked, .revoked)] {
            #expect(effects(Self.node(standing)) == "S")
            #expect(plan([Self.node(standing)]).marks["node-1"]?.taint?.reason == reason)
            for (age, expected) in [(0, "S"), (299, "S"), (300, "SE")] as [(Int64, String)] {
                let taint = UnattestedTaint(reason, since: Self.now - age)
                #expect(effects(Self.node(standing, taint: taint, isLabelled: false)) == expected)
            }
            // An older taint for a lapse does not shorten the grace.
            let older = UnattestedTaint(.lapsed, since: Self.now - 3000)
            let marks = plan([Self.node(standing, taint: older)]).marks["node-1"]
            #expect(marks?.taint == UnattestedTaint(reason, since: Self.now))
        }
    }

    @Test("A refusal stays one when its passport runs out, is taken away, or cannot be read") func refusalStays() {
        let taint = UnattestedTaint(.revoked, since: Self.now - 400)
        let silent: [NodeStanding?] = [
            nil, .lapsed(at: Self.now - 1), .unknown(reason: "r"), .unreadable(reason: "r"),
        ]
        for standing in silent {
            let node = Self.node(standing, taint: taint, isLabelled: false)
            #expect(effects(node) == "SE" && plan([node]).marks["node-1"]?.taint?.reason == .revoked)
        }
    }

    @Test("A taint stays until the node is attested, whatever else becomes of it") func stays() {
        let silent: [NodeStanding?] = [nil, .lapsed(at: Self.now), .unknown(reason: "r"), .unreadable(reason: "r")]
        for standing in silent {
            let held = UnattestedTaint(.lapsed, since: Self.now)
            #expect(effects(Self.node(standing, taint: held, isLabelled: false)) == "S")
            let evicted = UnattestedTaint(.lapsed, evicts: true, since: Self.now)
            #expect(effects(Self.node(standing, taint: evicted, isLabelled: false)) == "SE")
        }
        #expect(
            effects(
                Self.node(.attested(from: Self.now, until: Self.now + 1), taint: UnattestedTaint(.lapsed, evicts: true))
            )
                == "-")
    }

    @Test("A node that never showed a passport is held back at once while it is new, and is never put off")
    func never() {
        for standing in [nil, NodeStanding.unreadable(reason: "r"), .unknown(reason: "r")] {
            let new = Self.node(standing, isLabelled: false, createdAt: Self.now - 10)
            #expect(effects(new) == "S" && plan([new]).marks["node-1"]?.taint?.reason == .never)
            let registered = Self.node(
                standing, taint: UnattestedTaint(.never), isLabelled: false, createdAt: Self.now - 100_000)
            #expect(effects(registered) == "S")
            // One that was there before the gate was: it has the time of a lapse from when the gate saw it.
            let old = Self.node(standing, isLabelled: false, knownSince: Self.now - 599)
            #expect(effects(old) == "-")
        }
        let old = Self.node(nil, isLabelled: false, knownSince: Self.now - 100_000)
        #expect(effects(old) == "S" && plan([old]).marks["node-1"]?.taint?.reason == .never)
    }

    @Test("A refusal is taken back by a passport that is no older, and by no other") func older() {
        let taint = UnattestedTaint(.contraindicated, since: Self.now - 60)
        func effects(from: Int64) -> String {
            self.effects(Self.node(.attested(from: from, until: Self.now + 60), taint: taint, isLabelled: false))
        }
        #expect(effects(from: Self.now - 61) == "S" && effects(from: Self.now - 60) == "-")
        let older = Self.node(.attested(from: Self.now - 400, until: Self.now + 60), taint: taint, isLabelled: false)
        let marks = plan([older], at: Self.now + 300).marks["node-1"]
        #expect(marks?.taint?.evicts == true && marks?.isLabelled == false)
        #expect(marks?.condition.status == "False" && marks?.condition.reason == "Contraindicated")
        // Silence is taken back by any good passport.
        let silent = UnattestedTaint(.lapsed, since: Self.now - 60)
        #expect(self.effects(Self.node(.attested(from: 0, until: Self.now + 60), taint: silent)) == "-")
    }

    @Test("A passport that is taken away makes no new node of an old one") func takenAway() {
        let node = Self.node(nil, createdAt: Self.now - 10, knownSince: Self.now - 599)
        #expect(effects(node) == "-")
        #expect(effects(Self.node(nil, knownSince: Self.now - 600)) == "S")
        #expect(effects(Self.node(nil, knownSince: Self.now - 3600)) == "SE")
    }

    @Test("Of nodes that lapse together only a fifth loses its place, the longest lapsed first; refused ones besides")
    func blastRadius() {
        let lapsed = (0..<18).map { Self.node(.lapsed(at: Self.now - 700 - Int64($0)), "l\($0)") }
        let unknown = [Self.node(.unknown(reason: "r"), "u", knownSince: Self.now - 100_000)]
        let refused = [Self.node(.contraindicated, "r")]
        let plan = plan(lapsed + unknown + refused)
        #expect(plan.counted == 20 && plan.most == 4)
        let tainted = plan.marks.filter { $0.value.taint != nil }.keys
        #expect(Set(tainted) == ["r", "l17", "l16", "l15", "l14"])
        #expect(plan.held.count == 15 && plan.held.contains("u"))
        let held = plan.marks["u"]
        #expect(held?.taint == nil && held?.isLabelled == false && held?.condition.status == "Unknown")
        #expect(plan.marks["l0"]?.taint == nil && plan.marks["l0"]?.isLabelled == true)
        #expect(held?.condition.message.contains("carnet admission allow-taints --for 1h") == true)
    }

    @Test("Nodes with the taint take up room, and an operator's word makes as much as is needed") func room() {
        let tainted = (0..<2).map {
            Self.node(
                .lapsed(at: 0), "t\($0)", taint: UnattestedTaint(.lapsed, evicts: true, since: 0), isLabelled: false)
        }
        let lapsed = (0..<3).map { Self.node(.lapsed(at: Self.now - 700), "l\($0)") }
        let good = (0..<5).map { Self.node(.attested(from: Self.now, until: Self.now + 60), "g\($0)") }
        let held = plan(tainted + lapsed + good)
        #expect(held.most == 2 && held.held == ["l0", "l1", "l2"])
        #expect(held.marks["t0"]?.taint?.evicts == true)
        let allowed = plan(tainted + lapsed + good, isAllowed: true)
        #expect(allowed.held.isEmpty && allowed.marks.count { $0.value.taint != nil } == 5)
    }

    @Test("Silence takes no room from refusals: who keeps the verifier away keeps no bad node in its place")
    func kinds() {
        let silent = (0..<4).map {
            Self.node(.unknown(reason: "r"), "u\($0)", taint: UnattestedTaint(.lapsed, since: 0), isLabelled: false)
        }
        let more = (4..<16).map { Self.node(.lapsed(at: 0), "u\($0)") }
        let refused = (0..<4).map { Self.node(.revoked, "r\($0)") }
        let full = plan(silent + more + refused)
        #expect(full.most == 4 && full.held.count == 12)
        #expect(refused.allSatisfy { full.marks[$0.name]?.taint?.reason == .revoked })
        // More refusals than that are held back too. They keep their pods, and are not called attested.
        let flood = plan((0..<20).map { Self.node(.contraindicated, "r\($0)") })
        #expect(flood.most == 4 && flood.held.count == 16)
        #expect(flood.held.allSatisfy { flood.marks[$0]?.taint == nil && flood.marks[$0]?.isLabelled == false })
    }

    @Test("One node may always lose its place; new nodes and exempt ones take up no room", arguments: [1, 2, 4])
    func least(count: Int) {
        let nodes = (0..<count).map { Self.node(.lapsed(at: Self.now - 700), "l\($0)") }
        #expect(plan(nodes).marks.count { $0.value.taint != nil } == 1)
        let new = (0..<50).map { Self.node(nil, "n\($0)", isLabelled: false, createdAt: Self.now) }
        let exempt = (0..<50).map { Self.node(.contraindicated, "e\($0)", isExempt: true) }
        let all = plan(nodes + new + exempt)
        #expect(all.counted == count && all.most == 1)
        #expect(all.marks.count { $0.key.hasPrefix("n") && $0.value.taint != nil } == 50)
        #expect(all.marks.count { $0.key.hasPrefix("e") && $0.value.taint != nil } == 0)
        #expect(all.held.count == count - 1)
    }

    @Test("A plan says when it may be another") func changes() {
        #expect(plan([Self.node(.attested(from: Self.now, until: Self.now + 60))]).changesAt == Self.now + 61)
        #expect(plan([Self.node(.lapsed(at: Self.now))]).changesAt == Self.now + 600)
        #expect(plan([Self.node(.lapsed(at: Self.now - 600))]).changesAt == Self.now + 3000)
        #expect(plan([Self.node(.lapsed(at: Self.now - 3600))]).changesAt == nil)
        #expect(plan([Self.node(.revoked)]).changesAt == Self.now + 300)
        #expect(plan([]).changesAt == nil)
    }

    @Test("What is there already is no change, and anything else is one") func differences() throws {
        let node = Self.node(.lapsed(at: Self.now - 700))
        let marks = try #require(plan([node]).marks["node-1"])
        #expect(marks.changesTaint(of: node) && marks.changesCondition(of: node))
        var after = node
        after.taint = marks.taint
        after.isLabelled = false
        after.condition = marks.condition
        let next = try #require(plan([after], at: Self.now + 5).marks["node-1"])
        #expect(!next.changesTaint(of: after) && !next.changesCondition(of: after))
        after.isLabelled = true
        #expect(next.changesTaint(of: after))
        after.condition?.status = "True"
        #expect(next.changesCondition(of: after))
        // Seconds in a reason are no news.
        let first = Self.node(.unreadable(reason: "it is 5 seconds early"), knownSince: Self.now)
        var second = Self.node(.unreadable(reason: "it is 4 seconds early"), knownSince: Self.now)
        second.condition = plan([first]).marks["node-1"]?.condition
        #expect(plan([second], at: Self.now + 1).marks["node-1"]?.changesCondition(of: second) == false)
    }

    @Test("A clock far ahead taints no more than the limit allows") func clock() {
        let nodes = (0..<10).map { Self.node(.lapsed(at: Self.now + 60), "n\($0)") }
        #expect(plan(nodes, at: Self.now + 100_000_000).marks.count { $0.value.taint != nil } == 2)
        #expect(plan(nodes, at: 0).marks.count { $0.value.taint != nil } == 0)
    }
}
