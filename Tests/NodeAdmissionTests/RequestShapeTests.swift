import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import NodeAdmission
import StrictEncoding
import Testing

@Suite("What a node's certificate request says")
struct RequestShapeTests {
    private let gate: Gate, passport: [UInt8]

    init() throws {
        gate = try Gate()
        passport = try gate.passport()
    }

    @Test(
        "A request that shows its passport inside, behind, or both, is admitted",
        arguments: [(true, true), (true, false), (false, true)])
    func good(inside: Bool, behind: Bool) throws {
        let text = try gate.text(passport, inside: inside, behind: behind)
        guard case .admit(let node) = gate.decide(Gate.request(text)) else {
            Issue.record("\(gate.answer(text))")
            return
        }
        #expect(node.node == "node-17" && node.subject.hasPrefix("urn:carnet:node:") && !node.tokenID.isEmpty)
        #expect(node.keyThumbprint == (try JSONWebKey(gate.forge.holderKey.publicKey)).thumbprint)
        #expect(node.passportIssuedAt == Gate.now && node.passportExpiresAt == Gate.now + 300)
        #expect(gate.answer(text.replacing("\n", with: "\r\n")) == "admit")
        #expect(gate.answer(try gate.text { _ in }) == "admit", "what the tests below spoil is good")
    }

    @Test("The text is the request, at most one passport, and nothing else")
    func blocks() throws {
        let good = try gate.text(passport), alone = try gate.text(passport, behind: false)
        let carrier = PassportCarrier.block(carrying: passport).text
        for (text, reason) in [
            ("", "RequestUnreadable"), ("notes\n" + good, "RequestUnreadable"), (good + "notes", "RequestUnreadable"),
            (carrier + alone, "RequestUnreadable"), (carrier, "RequestUnreadable"),
            (good + carrier, "RequestUnreadable"),
            (alone + alone, "ForeignBlock"),
            (alone.replacing("CERTIFICATE REQUEST", with: "NEW CERTIFICATE REQUEST"), "RequestUnreadable"),
            (alone + carrier.replacing("CARNET PASSPORT", with: "CERTIFICATE"), "ForeignBlock"),
            (
                alone.replacing("REQUEST-----\n", with: "REQUEST-----\nA: b\n\n", maxReplacements: 1),
                "RequestUnreadable"
            ),
            (Gate.block([0x30, 0]), "RequestUnreadable"), (String(good.dropFirst()), "RequestUnreadable"),
            (good + String(repeating: "\n", count: 65_536), "RequestUnreadable"),
        ] {
            #expect(gate.answer(text) == "deny " + reason, "\(text)")
        }
    }

    @Test("The subject is one organization and one common name, spelt exactly")
    func subject() throws {
        let organization = HandMadeDER.nameAttribute("2.5.4.10", "system:nodes")
        let name = HandMadeDER.nameAttribute("2.5.4.3", "system:node:node-17")
        func answer(_ subject: [[[UInt8]]]) throws -> String { gate.answer(try gate.text { $0.subject = subject }) }
        #expect(try answer([[name], [organization]]) == "admit", "in either order")
        let printable = HandMadeDER.nameAttribute("2.5.4.10", "system:nodes", tag: 0x13)
        #expect(try answer([[printable], [name]]) == "admit", "in either of two string types")
        let masters = HandMadeDER.nameAttribute("2.5.4.10", "system:masters")
        let unit = HandMadeDER.nameAttribute("2.5.4.11", "x")
        for subject in [
            [], [[name]], [[organization]], [[organization], [organization]], [[name], [name]],
            [[organization], [masters], [name]], [[masters], [name]], [[organization], [name], [name]],
            [[organization], [name], [unit]], [[unit], [name]], [[organization, name]],
            [[name], [organization, masters]],
            [[HandMadeDER.nameAttribute("2.5.4.10", "system:Nodes")], [name]],
            [[HandMadeDER.nameAttribute("2.5.4.10", "system:nodes ")], [name]],
            [[HandMadeDER.nameAttribute("2.5.4.11", "system:nodes")], [name]],
        ] {
            #expect(try answer(subject) == "deny SubjectNotAllowed", "\(subject)")
        }
        for tag: UInt8 in [0x16, 0x14, 0x1E, 0x1C, 0x1A] {
            let other = HandMadeDER.nameAttribute("2.5.4.3", "system:node:node-17", tag: tag)
            #expect(try answer([[organization], [other]]) == "deny RequestUnreadable", "\(tag)")
        }
    }

    @Test(
        "The common name is a node's, in lower case",
        arguments: [
            "node-17", "system:node:", "system:node:Node-17", "SYSTEM:node:node-17", "system:node:node_17",
            "system:node:-node", "system:node:node-", "system:node:a..b", "system:node:.a", "system:node:a.",
            "system:node:node-17 ", " system:node:node-17", "system:node:node 17", "system:node:nöde", "system:masters",
            "system:node:" + String(repeating: "a", count: 254), "system:node:a/b", "system:nodes:node-17",
        ])
    func commonName(name: String) throws {
        let text = try gate.text {
            $0.subject[1] = [HandMadeDER.nameAttribute("2.5.4.3", name)]
        }
        #expect(gate.answer(text) == "deny NodeNameNotAllowed")
    }

    @Test("A client certificate has no alternative names, and nothing but the passport is asked for")
    func extensions() throws {
        func answer(_ change: (inout HandMadeRequest) throws -> Void) throws -> String {
            gate.answer(try gate.text(change))
        }
        func adding(_ identifier: String, _ der: [UInt8], critical: [UInt8] = []) throws -> String {
            try answer { $0.extensions.append(HandMadeDER.certificateExtension(identifier, der, critical: critical)) }
        }
        let host = HandMadeDER.element(0x30, HandMadeDER.element(0x82, Array("node-17".utf8)))
        #expect(try adding("2.5.29.17", host) == "deny AlternativeNamesNotAllowed")
        #expect(try adding("2.5.29.17", [0x30, 0]) == "deny RequestUnreadable")
        #expect(
            try adding("2.5.29.19", HandMadeDER.element(0x30, [1, 1, 255]), critical: [1, 1, 255])
                == "deny ExtensionNotAllowed")
        #expect(try adding("2.5.29.15", [3, 2, 5, 0xA0]) == "deny ExtensionNotAllowed")
        #expect(try adding("1.2.3.4", [5, 0]) == "deny ExtensionNotAllowed")
        #expect(try answer { $0.extensions.append($0.extensions[0]) } == "deny RequestUnreadable", "twice the same")
        let password = HandMadeDER.element(
            0x30, HandMadeDER.objectIdentifier("1.2.840.113549.1.9.7"),
            HandMadeDER.element(0x31, HandMadeDER.element(0x0C, [0x61])))
        #expect(try answer { $0.attributes = [password] } == "deny AttributeNotAllowed")
    }

    @Test("The passport's carriers are there, can be read, and agree")
    func carriers() throws {
        let other = try gate.passport()
        func answer(_ value: [UInt8]) throws -> String {
            gate.answer(
                try gate.text { $0.extensions = [HandMadeDER.certificateExtension("1.3.6.1.5.5.7.1.35", value)] })
        }
        func record(_ json: String) throws -> String { try answer(DER.utf8String(json)) }
        let value = Base64URL.encode(passport)
        #expect(try record(#"["application/eat+jwt","\#(value)"]"#) == "admit")
        #expect(try record(#"["application/eat+jwt","\#(value)",8]"#) == "admit")
        for json in [
            #"["application/eat+jwt","\#(value)",4]"#, #"["application/eat+jwt","\#(value)",0]"#,
            #"["application/eat+jwt","\#(value)","8"]"#, #"["application/eat+jwt","\#(value)",8,8]"#,
            #"["application/eat+jwt","\#(value)="]"#, #"["application/eat+jwt"]"#,
            #"["application/eat+cwt","\#(value)"]"#,
            #"["Application/EAT+jwt","\#(value)"]"#, #"{"a":["application/eat+jwt","\#(value)"]}"#, "[]", "",
            #"["application/eat+jwt",""]"#, #"["application/eat+jwt","\#(value)"] x"#,
            #"["application/eat+jwt",["\#(value)"]]"#, String(decoding: passport, as: UTF8.self),
        ] {
            #expect(try record(json) == "deny PassportUnreadable", "\(json)")
        }
        let long = [UInt8](repeating: 0x41, count: 8193)
        #expect(try record(#"["application/eat+jwt","\#(Base64URL.encode(long))"]"#) == "deny PassportUnreadable")
        #expect(try answer(HandMadeDER.element(0x04, passport)) == "deny PassportUnreadable")
        #expect(try answer(DER.utf8String("x") + [5, 0]) == "deny RequestUnreadable")

        let bare = try gate.text(passport, inside: false, behind: false)
        #expect(gate.answer(bare) == "deny PassportMissing")
        let differing = try gate.text(passport, behind: false) + PassportCarrier.block(carrying: other).text
        #expect(gate.answer(differing) == "deny PassportsDiffer")
        #expect(gate.answer(bare + PassportCarrier.block(carrying: long).text) == "deny PassportUnreadable")
    }

    @Test("The key is on P-256, and signed the request")
    func keys() throws {
        for curve: EllipticCurve in [.p384, .p521] {
            let request = try CertificateRequest(
                subject: Gate.names(), extensions: [PassportCarrier.certificateExtension(carrying: passport)],
                signedBy: .generate(curve))
            #expect(gate.answer(Gate.block(request.der)) == "deny KeyNotAllowed")
        }
        let stranger = try PrivateKey.generate()
        let text = try gate.text { $0.keyInformation = try stranger.publicKey.subjectPublicKeyInfo }
        #expect(gate.answer(text) == "deny SignatureWrong")
        guard let openssl = try Witness.find("openssl") else { return }
        let folder = try TemporaryDirectory()
        let made = try openssl.run([
            "req", "-new", "-nodes", "-newkey", "rsa:2048", "-keyout", folder.path + "/key", "-out",
            folder.path + "/csr",
            "-subj", "/O=system:nodes/CN=system:node:node-17",
        ])
        #expect(made.status == 0)
        let request = String(decoding: try folder.read("csr"), as: UTF8.self)
        #expect(gate.answer(request + PassportCarrier.block(carrying: passport).text) == "deny KeyNotAllowed")
    }

    @Test("No byte of the request can be another")
    func bits() throws {
        let request = try CertificateRequest(
            subject: Gate.names(), extensions: [PassportCarrier.certificateExtension(carrying: passport)],
            signedBy: gate.forge.holderKey)
        for bit in request.der.indices.map({ $0 * 8 + $0 % 8 }) {
            #expect(gate.answer(Gate.block(request.der.flipping(bit: bit))).hasPrefix("deny "), "bit \(bit)")
        }
    }
}
