import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import NodeAdmission
import Testing

@Suite("How a node stands by its passport")
struct StandingTests {
    private let gate: Gate

    init() throws { gate = try Gate() }

    private func standing(_ passport: [UInt8], at now: Int64 = Gate.now, node: String = Gate.node, gate: Gate? = nil)
        -> NodeStanding
    {
        let gate = gate ?? self.gate
        return gate.rules.standing(
            ofPassport: String(decoding: passport, as: UTF8.self), node: node, by: gate.verifier, at: now)
    }

    /// Whether nothing can be read for a reason, which is given.
    private func isUnreadable(_ standing: NodeStanding, _ words: String = "") -> Bool {
        if case .unreadable(let reason) = standing { return words.isEmpty || reason.contains(words) }
        return false
    }

    private func isUnknown(_ standing: NodeStanding) -> Bool {
        if case .unknown = standing { return true }
        return false
    }

    @Test("A good passport attests its node until it ends, and has lapsed then")
    func times() throws {
        let passport = try gate.passport()
        #expect(standing(passport) == .attested(from: Gate.now, until: Gate.now + 300))
        #expect(standing(passport, at: Gate.now + 329) == .attested(from: Gate.now, until: Gate.now + 300))
        #expect(standing(passport, at: Gate.now + 330) == .lapsed(at: Gate.now + 300))
        #expect(standing(passport, at: Gate.now + 1_000_000) == .lapsed(at: Gate.now + 300))
        #expect(isUnknown(standing(passport, at: Gate.now - 60)), "clocks differ")
        let impatient = try Gate { $0.maximumAge = 60 }
        #expect(standing(try impatient.passport(), at: Gate.now + 91, gate: impatient) == .lapsed(at: Gate.now + 60))
    }

    @Test("Bad news stays bad when its passport ends")
    func badNews() throws {
        for now in [Gate.now, Gate.now + 10_000] {
            #expect(standing(try gate.passport(status: .contraindicated), at: now) == .contraindicated)
            #expect(standing(try gate.passport(status: .warning), at: now) == .contraindicated)
            let listed = try gate.passport(listed: 3)
            #expect(standing(listed, at: now, gate: try gate.listing([3: .invalid])) == .revoked)
            #expect(standing(listed, at: now, gate: try gate.listing([3: .suspended])) == .revoked)
        }
    }

    @Test("What the cluster demands beyond the verdict counts as much")
    func demands() throws {
        let strict = try Gate { $0.policyDigests = [String(repeating: "0", count: 64)] }
        #expect(standing(try strict.passport(), gate: strict) == .contraindicated)
        let deep = try Gate { $0.minimumDepth = .eventLogAndIMA }
        #expect(standing(try deep.passport(), gate: deep) == .contraindicated)
    }

    @Test("Another machine's passport, another cluster's, and rubbish are nothing")
    func foreign() throws {
        #expect(isUnreadable(standing(try gate.passport(), node: "node-18"), "not this node's"))
        #expect(isUnreadable(standing(try gate.passport(), node: "NODE-17")))
        #expect(isUnreadable(standing(try gate.passport(label: nil)), "label"))
        #expect(isUnreadable(standing(try gate.passport(audience: ["https://cluster-b.example"])), "not meant"))
        #expect(isUnreadable(standing(try gate.passport(status: .contraindicated, label: "node-18"))), "nor bad news")
        #expect(isUnreadable(standing(try gate.passport(issuedAt: Gate.now - 9999, label: "node-18"))), "nor old news")
        #expect(isUnreadable(standing([])) && isUnreadable(standing(Array("a.b.c".utf8))))
        let other = try Gate()
        #expect(isUnreadable(standing(try other.forge.token(header: gate.forge.header, payload: "{}"))))
    }

    @Test("A check that cannot run says nothing about the node")
    func unknown() throws {
        let listed = try gate.passport(listed: 3)
        #expect(isUnknown(standing(listed)), "no list")
        #expect(isUnknown(standing(listed, gate: try gate.listing(issuedAt: Gate.now - 301))), "an old list")
        #expect(standing(listed, gate: try gate.listing()) == .attested(from: Gate.now, until: Gate.now + 300))
        #expect(isUnknown(standing(try Gate().passport())), "an unknown key")
        var stale = gate
        stale.verifier = gate.verifier.usable(until: Gate.now)
        #expect(isUnknown(standing(try gate.passport(), gate: stale)))
        // What a list that is too old says against a passport still counts.
        #expect(standing(listed, gate: try gate.listing(issuedAt: Gate.now - 9999, [3: .invalid])) == .revoked)
        #expect(standing(listed, at: Gate.now + 330) == .lapsed(at: Gate.now + 300), "the end needs no list")
    }
}
