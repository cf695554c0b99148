import KubernetesAPI
import NodeAdmission
import Testing

@testable import CarnetAdmission

@Suite("What is known of nodes from one look to the next") struct NodeBookTests {
    private var book = NodeBook()

    /// A node's standing after a look at the passport that it shows then.
    private mutating func look(_ passport: String?, _ standing: NodeStanding, at now: Int64) throws -> NodeStanding? {
        let annotations = passport.map { [NodeMark.passport: JSONValue.string($0)] } ?? [:]
        let object = KubernetesObject([
            "metadata": ["name": "node-17", "uid": "1", "annotations": .object(annotations)]
        ])
        book.take("node-17", NodeView(object))
        book.doubtAll()
        book.look(at: now) { _, _ in standing }
        return try #require(book.situations(exempt: []).first).standing
    }

    @Test(
        "A refusal stands, whatever the node shows next, until there is a passport from after it",
        arguments: [NodeStanding.contraindicated, .revoked])
    mutating func refusal(_ refused: NodeStanding) throws {
        #expect(try look("a", .attested(from: 100, until: 400), at: 150) == .attested(from: 100, until: 400))
        #expect(try look("b", refused, at: 200) == refused)
        #expect(try look(nil, .lapsed(at: 0), at: 210) == refused)
        #expect(try look("c", .unreadable(reason: "other"), at: 220) == refused)
        #expect(try look("c", .unknown(reason: "no keys"), at: 230) == refused)
        #expect(try look("a", .attested(from: 199, until: 400), at: 240) == refused)
        #expect(try look("b", .lapsed(at: 220), at: 250) == refused)
        #expect(try look("d", .attested(from: 200, until: 500), at: 260) == .attested(from: 200, until: 500))
        #expect(try look(nil, .lapsed(at: 0), at: 270) == nil)
    }

    @Test("A second refusal begins anew; the same one seen again does not") mutating func again() throws {
        #expect(try look("b", .contraindicated, at: 200) == .contraindicated)
        #expect(try look("b", .contraindicated, at: 300) == .contraindicated)
        #expect(try look("d", .attested(from: 250, until: 500), at: 310) == .attested(from: 250, until: 500))
        #expect(try look("e", .contraindicated, at: 400) == .contraindicated)
        #expect(try look("f", .revoked, at: 450) == .revoked)
        #expect(try look("d", .attested(from: 420, until: 900), at: 460) == .revoked)
        #expect(try look("g", .attested(from: 450, until: 900), at: 470) == .attested(from: 450, until: 900))
    }

    @Test("What a former leader wrote into the condition of a node stands until there is a passport from after it")
    mutating func formerLeader() throws {
        for (standing, isRefusal) in [(NodeStanding.contraindicated, true), (.revoked, true), (.lapsed(at: 5), false)] {
            book = NodeBook()
            let condition = NodeCondition(
                status: "False", reason: ConditionWords.reason(standing), message: "m", since: 1_800_000_000)
            let object = KubernetesObject([
                "metadata": ["name": "node-17", "uid": "1"],
                "status": ["conditions": [condition.json(at: 1_800_000_000)]],
            ])
            book.take("node-17", NodeView(object))
            let old = NodeStanding.attested(from: 1_799_999_999, until: 1_800_000_300)
            #expect(try look("a", old, at: 1_800_000_100) == (isRefusal ? standing : old))
            let new = NodeStanding.attested(from: 1_800_000_000, until: 1_800_000_400)
            #expect(try look("b", new, at: 1_800_000_110) == new)
        }
    }

    @Test("A node that was deleted and made anew has its refusal, as long as a passport from before it could be good")
    mutating func another() throws {
        #expect(try look("b", .contraindicated, at: 200) == .contraindicated)
        book.take("node-17", nil)
        #expect(try look("a", .attested(from: 199, until: 400), at: 210) == .contraindicated)
        #expect(try look("d", .attested(from: 205, until: 500), at: 220) == .attested(from: 205, until: 500))
        #expect(try look("e", .revoked, at: 300) == .revoked)
        book.take("node-17", nil)
        book.look(at: 3900) { _, _ in .revoked }
        #expect(try look(nil, .lapsed(at: 0), at: 3901) == nil)
    }

    @Test("Texts that only Swift takes for equal are another passport") mutating func bytes() throws {
        #expect(try look("K", .attested(from: 100, until: 400), at: 150) == .attested(from: 100, until: 400))
        book.take(
            "node-17",
            NodeView(
                KubernetesObject([
                    "metadata": ["name": "node-17", "uid": "1", "annotations": [NodeMark.passport: "\u{212A}"]]
                ])))
        book.look(at: 151) { _, _ in .unreadable(reason: "spoilt") }
        #expect(book.situations(exempt: []).first?.standing == .unreadable(reason: "spoilt"))
    }
}
