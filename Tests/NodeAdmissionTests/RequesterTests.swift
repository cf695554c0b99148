import NodeAdmission
import Testing

@Suite("Who asks for a node's certificate, and for how long")
struct RequesterTests {
    private let gate: Gate, text: String

    init() throws {
        gate = try Gate()
        text = try gate.text(gate.passport())
    }

    private func answer(_ username: String, _ groups: [String]) -> String {
        gate.decide(Gate.request(text, by: username, groups: groups)).word
    }

    @Test("Bootstrap tokens and the node itself may ask, and nobody else")
    func requesters() {
        #expect(answer("system:bootstrap:abcdef", ["system:bootstrappers"]) == "admit")
        #expect(answer("system:bootstrap:abcdef", ["system:bootstrappers:worker", "system:bootstrappers"]) == "admit")
        #expect(answer("system:node:node-17", ["system:nodes", "system:authenticated"]) == "admit")
        #expect(answer("system:bootstrap:abcdef", ["system:bootstrappers:worker"]) == "deny RequesterNotAllowed")
        #expect(answer("system:bootstrap:abcdef", []) == "deny RequesterNotAllowed")
        #expect(answer("kubernetes-admin", ["system:masters"]) == "deny RequesterNotAllowed")
        #expect(answer("system:serviceaccount:a:b", ["system:serviceaccounts"]) == "deny RequesterNotAllowed")
        #expect(answer("", ["system:nodes"]) == "deny RequesterNotAllowed")
    }

    @Test("A kubelet asks for its own node only, whatever groups it is in")
    func otherNodes() {
        for (name, groups) in [
            ("system:node:node-18", ["system:nodes"]), ("system:node:node-18", ["system:bootstrappers"]),
            ("system:node:node-17", []), ("system:node:node-17", ["system:bootstrappers"]),
            ("system:node:", ["system:bootstrappers"]), ("system:node:NODE-17", ["system:nodes"]),
            ("system:node:node-17x", ["system:nodes", "system:bootstrappers"]),
        ] {
            #expect(answer(name, groups) == "deny RequesterIsAnotherNode", "\(name) \(groups)")
        }
    }

    @Test("Other bootstrap groups count where they are named")
    func groups() throws {
        var gate = gate
        gate.rules.bootstrapGroups = ["machines"]
        #expect(gate.decide(Gate.request(text, by: "u", groups: ["machines"])).word == "admit")
        #expect(gate.decide(Gate.request(text)).word == "deny RequesterNotAllowed")
    }

    @Test("The usages are exactly a kubelet's")
    func usages() {
        func answer(_ usages: [String]) -> String { gate.decide(Gate.request(text, usages: usages)).word }
        #expect(answer(["client auth", "digital signature"]) == "admit")
        #expect(answer(["key encipherment", "digital signature", "client auth"]) == "admit")
        for usages in [
            [], ["client auth"], ["digital signature"], ["digital signature", "server auth"],
            ["digital signature", "client auth", "server auth"], ["digital signature", "client auth", "any"],
            ["digital signature", "client auth", "cert sign"], ["digital signature", "client auth", "client auth"],
            ["Digital Signature", "client auth"], ["digital signature", "key encipherment"],
        ] {
            #expect(answer(usages) == "deny UsagesNotAllowed", "\(usages)")
        }
    }

    @Test("The life is asked for, and short")
    func life() {
        func answer(_ life: Int64?, _ gate: Gate? = nil) -> String {
            (gate ?? self.gate).decide(Gate.request(text, life: life)).word
        }
        for life: Int64 in [600, 14_399, 14_400] { #expect(answer(life) == "admit") }
        for life: Int64? in [nil, 0, -1, 599, 14_401, .max, .min] { #expect(answer(life) == "deny LifeNotAllowed") }
        var old = gate
        old.rules.allowsUnboundedLife = true
        #expect(answer(nil, old) == "admit" && answer(14_401, old) == "deny LifeNotAllowed")
        var silly = gate
        silly.rules.maximumCertificateLife = 0
        #expect(silly.rules.maximumCertificateLife == 600 && answer(600, silly) == "admit")
        #expect(answer(601, silly) == "deny LifeNotAllowed")
    }
}
