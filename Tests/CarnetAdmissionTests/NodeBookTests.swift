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

    @Test("Another node of the name begins without it") mutating func another() throws {
        #expect(try look("b", .contraindicated, at: 200) == .contraindicated)
        book.take("node-17", nil)
        #expect(try look(nil, .lapsed(at: 0), at: 210) == nil)
    }
}
