import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import NodeAdmission
import Testing

@Suite("Serving certificates of kubelets")
struct ServingTests {
    private static let address: [UInt8] = [10, 0, 0, 17]
    private static let known = KnownNode(
        addresses: ["node-17", "10.0.0.17", "fd00::17"],
        addressesOfOthers: ["10.0.0.18", "node-18", "::ffff:10.0.0.19"])
    private let gate: Gate

    init() throws { gate = try Gate() }

    private func request(_ dns: [String], _ addresses: [[UInt8]] = []) throws -> NodeCertificateRequest {
        Gate.serving(
            try gate.text(gate.passport(), alternativeNames: .init(dns: dns, addresses: addresses)))
    }

    private func answer(
        _ dns: [String], _ addresses: [[UInt8]] = [], known: KnownNode? = known, gate: Gate? = nil
    ) throws -> String {
        (gate ?? self.gate).decide(try request(dns, addresses), known: known).word
    }

    @Test("The node's name and its addresses are admitted")
    func good() throws {
        #expect(try answer(["node-17"], [Self.address]) == "admit")
        #expect(try answer([], [Self.address]) == "admit")
        #expect(try answer(["node-17"], known: nil) == "admit", "a name needs no Node")
        let six: [UInt8] = [0xFD, 0] + [UInt8](repeating: 0, count: 13) + [0x17]
        #expect(try answer(["node-17"], [Self.address, six]) == "admit")
    }

    @Test("Only the kubelet itself asks, with exactly its usages")
    func requesters() throws {
        let text = try gate.text(gate.passport(), alternativeNames: .init(dns: ["node-17"]))
        func answer(_ name: String, _ groups: [String]) -> String {
            gate.decide(Gate.serving(text, by: name, groups: groups)).word
        }
        #expect(answer("system:bootstrap:abcdef", ["system:bootstrappers"]) == "deny RequesterNotAllowed")
        #expect(answer("system:node:node-18", ["system:nodes"]) == "deny RequesterIsAnotherNode")
        #expect(answer("system:node:node-17", []) == "deny RequesterIsAnotherNode")
        for usages in [["digital signature", "client auth"], ["digital signature", "server auth", "client auth"], []] {
            #expect(gate.decide(Gate.serving(text, usages: usages)).word == "deny UsagesNotAllowed")
        }
    }

    @Test("Other host names are denied; the node's own in an allowed domain is not")
    func hosts() throws {
        for name in [
            "node-18", "Node-17", "node-17.", "*.node-17", "*", "node-17.example", "kubernetes.default.svc",
            "10.0.0.17",
            "node-17.nodes.example",
        ] {
            #expect(try answer(["node-17", name]) == "deny AlternativeNamesNotAllowed", "\(name)")
        }
        var wide = gate
        wide.rules.serving.suffixes = ["nodes.example"]
        #expect(try answer(["node-17.nodes.example", "node-17"], gate: wide) == "admit")
        #expect(try answer(["node-18.nodes.example"], gate: wide) == "deny AlternativeNamesNotAllowed")
        #expect(try answer(["nodes.example"], gate: wide) == "deny AlternativeNamesNotAllowed")
        #expect(try answer(["node-17nodes.example"], gate: wide) == "deny AlternativeNamesNotAllowed")
    }

    @Test("There are names, and all of them hosts and addresses")
    func kinds() throws {
        let plain = Gate.serving(try gate.text(gate.passport()))
        #expect(gate.decide(plain, known: Self.known).word == "deny AlternativeNamesNotAllowed")
        for tag: UInt8 in [0x81, 0x86, 0x88] {
            let names = HandMadeDER.element(
                0x30, HandMadeDER.element(0x82, Array("node-17".utf8)), HandMadeDER.element(tag, [0x2A, 3]))
            let text = try gate.text { $0.extensions.append(HandMadeDER.certificateExtension("2.5.29.17", names)) }
            #expect(gate.decide(Gate.serving(text), known: Self.known).word == "deny AlternativeNamesNotAllowed")
        }
    }

    @Test("Addresses that others state too wait for people, in IPv6 clothes as well; so does what is not stated yet")
    func addresses() throws {
        let mapped = [UInt8](repeating: 0, count: 10) + [255, 255]
        #expect(try answer([], [[10, 0, 0, 18]]) == "wait AddressIsAnothers")
        #expect(try answer([], [mapped + [10, 0, 0, 18]]) == "wait AddressIsAnothers")
        #expect(try answer([], [[10, 0, 0, 19]]) == "wait AddressIsAnothers")
        #expect(try answer([], [Self.address, [10, 0, 0, 18]]) == "wait AddressIsAnothers")
        #expect(try answer([], [[10, 0, 0, 20]]) == "wait AddressNotTheNodes")
        #expect(try answer([], [Self.address], known: nil) == "wait NodeNotKnown")
        #expect(try answer([], [mapped + Self.address]) == "admit", "the same address")
        let greedy = KnownNode(addresses: ["10.0.0.18"], addressesOfOthers: ["10.0.0.18"])
        #expect(try answer([], [[10, 0, 0, 18]], known: greedy) == "wait AddressIsAnothers")
    }

    @Test("The API server's address is no node's, whoever states it")
    func reserved() throws {
        var gate = gate
        gate.rules.serving.reserved = ["10.0.0.17", "api.example"]
        let mapped = [UInt8](repeating: 0, count: 10) + [255, 255]
        #expect(try answer([], [Self.address], gate: gate) == "deny AddressNotTheNodes")
        #expect(try answer([], [mapped + Self.address], gate: gate) == "deny AddressNotTheNodes")
        #expect(try answer(["node-17"], gate: gate) == "admit")
    }

    @Test("Addresses that are nobody's are never the node's")
    func strangeAddresses() throws {
        let local = [UInt8](repeating: 0, count: 15) + [1]
        for address: [UInt8] in [
            [127, 0, 0, 1], [0, 0, 0, 0], [169, 254, 1, 1], [224, 0, 0, 1], [255, 255, 255, 255], local,
            [UInt8](repeating: 0, count: 16), [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [1],
            [0xFF, 2] + [UInt8](repeating: 0, count: 13) + [1],
        ] {
            let text = address.map(String.init).joined(separator: ".")
            let known = KnownNode(addresses: [text, "::1", "::", "fe80::1", "ff02::1"], addressesOfOthers: [])
            #expect(try answer([], [address], known: known) == "deny AddressNotTheNodes", "\(address)")
        }
    }

    @Test("Networks bound what a kubelet may say of itself")
    func networks() throws {
        var narrow = gate
        narrow.rules.serving.networks = [try #require(AddressNetwork("10.0.0.16/30"))]
        #expect(try answer([], [Self.address], gate: narrow) == "admit")
        #expect(try answer([], [[10, 0, 0, 20]], gate: narrow) == "deny AddressNotTheNodes")
        let six: [UInt8] = [0xFD, 0] + [UInt8](repeating: 0, count: 13) + [0x17]
        #expect(try answer([], [six], gate: narrow) == "deny AddressNotTheNodes")
        narrow.rules.serving.networks.append(try #require(AddressNetwork("fd00::/64")))
        #expect(try answer([], [six, Self.address], gate: narrow) == "admit")
        for text in [
            "10.0.0.0", "10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "a/8", "/8",
            "fd00::/129", "10.0.0.0/8/8",
        ] {
            #expect(AddressNetwork(text) == nil, "\(text)")
        }
        #expect(AddressNetwork("0.0.0.0/0") != nil && AddressNetwork("10.0.0.1/32")?.description == "10.0.0.1/32")
    }

    @Test("Without a key that was attested there is no serving certificate either")
    func binding() throws {
        let request = try CertificateRequest(
            subject: Gate.names(), alternativeNames: .init(dns: ["node-17"]),
            extensions: [PassportCarrier.certificateExtension(carrying: gate.passport())], signedBy: .generate())
        #expect(gate.decide(Gate.serving(Gate.block(request.der)), known: Self.known).word == "deny KeyNotAttested")
    }
}
