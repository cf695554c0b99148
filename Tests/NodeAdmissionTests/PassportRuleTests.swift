import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import NodeAdmission
import StrictEncoding
import Testing

@Suite("A node's request and its passport")
struct PassportRuleTests {
    private let gate: Gate

    init() throws { gate = try Gate() }

    private func answer(_ passport: [UInt8], at now: Int64 = Gate.now, gate: Gate? = nil) throws -> String {
        let gate = gate ?? self.gate
        return gate.answer(try gate.text(passport), at: now)
    }

    @Test("The passport is this cluster's, in time, good, and of the issuer")
    func passports() throws {
        #expect(try answer(gate.passport()) == "admit")
        #expect(try answer(gate.passport(audience: ["https://cluster-b.example"])) == "deny PassportAudience")
        #expect(try answer(gate.passport(status: .contraindicated)) == "deny PassportTier")
        #expect(try answer(gate.passport(status: .warning)) == "deny PassportTier")
        #expect(try answer(gate.passport(), at: Gate.now + 330) == "deny PassportExpired")
        #expect(try answer(gate.passport(), at: Gate.now + 329) == "admit", "clocks may differ")
        #expect(try answer(Array("a.b.c".utf8)) == "deny PassportMalformed")
        let other = try Gate()
        let stranger = try other.forge.token(header: gate.forge.header, payload: #"{}"#)
        #expect(try answer(stranger) == "deny PassportSignature")
        let strict = try Gate { $0.minimumKeyProtection = .tpm }
        #expect(try answer(strict.passport(), gate: strict) == "deny PassportKeyProtection")
    }

    @Test("The passport is bound to the request's key")
    func otherKey() throws {
        let passport = try gate.passport(), thief = try PrivateKey.generate()
        let request = try CertificateRequest(
            subject: Gate.names(), extensions: [PassportCarrier.certificateExtension(carrying: passport)],
            signedBy: thief)
        #expect(gate.answer(Gate.block(request.der)) == "deny KeyNotAttested")
    }

    @Test("The machine is the node, by its operator's word alone")
    func names() throws {
        #expect(try answer(gate.passport(label: nil)) == "deny MachineNotNamed")
        #expect(try answer(gate.passport(label: "node-18")) == "deny MachineIsAnotherNode")
        #expect(try answer(gate.passport(label: "Node-17")) == "deny MachineNotNamed")
        var other = gate
        other.rules.names = NodeNames(label: "cluster-a")
        #expect(try answer(gate.passport(), gate: other) == "deny MachineNotNamed")
        let subject = "urn:carnet:node:11111111-2222-3333-4444-555555555555"
        other.rules.names = NodeNames(subjects: ["node-17": subject])
        #expect(try answer(gate.passport(label: "node-18"), gate: other) == "admit", "the file wins")
        other.rules.names = NodeNames(subjects: ["node-18": subject])
        #expect(try answer(gate.passport(), gate: other) == "deny MachineIsAnotherNode")
        other.rules.names = NodeNames(subjects: ["node-17": subject, "node-18": subject])
        #expect(try answer(gate.passport(), gate: other) == "deny MachineNotNamed", "two names are none")
        other.rules.names = NodeNames(subjects: [:])
        #expect(try answer(gate.passport(), gate: other) == "deny MachineNotNamed", "the file is exclusive")
    }

    @Test("What was withdrawn is denied; what cannot be looked up waits, until its time is over")
    func status() throws {
        let listed = try gate.passport(listed: 5)
        #expect(try answer(listed, gate: gate.listing()) == "admit")
        #expect(try answer(listed, gate: gate.listing([5: .invalid])) == "deny PassportRevoked")
        #expect(try answer(listed, gate: gate.listing([5: .suspended])) == "wait PassportSuspended")
        #expect(try answer(listed) == "wait PassportStatusUnknown")
        #expect(try answer(listed, gate: gate.listing(issuedAt: Gate.now - 301)) == "wait PassportStatusStale")
        #expect(try answer(listed, at: Gate.now + 330) == "deny PassportExpired")
        let demanding = try Gate { $0.revocation = .checked(requiresStatus: true) }
        #expect(try answer(demanding.passport(), gate: demanding) == "deny PassportRevocation")
    }

    @Test("Keys that are not at hand heal, and no request waits for ever")
    func keys() throws {
        let other = try Gate()
        let text = try gate.text(other.passport())
        func answer(at now: Int64, createdAt: Int64? = nil, gate: Gate? = nil) -> String {
            (gate ?? self.gate).decide(Gate.request(text, createdAt: createdAt), at: now).word
        }
        #expect(answer(at: Gate.now) == "wait PassportUnknownKey")
        #expect(answer(at: Gate.now + 329) == "wait PassportUnknownKey")
        #expect(answer(at: Gate.now + 330) == "deny WaitedTooLong", "by the token's own word")
        var stale = gate
        stale.verifier = gate.verifier.usable(until: Gate.now)
        #expect(answer(at: Gate.now, gate: stale) == "wait PassportsCannotBeChecked")
        #expect(answer(at: Gate.now - 1, gate: stale) == "wait PassportUnknownKey")
        // A token that says that it lives for ever waits as long as any passport could live.
        let header = #"{"alg":"ES256","typ":"eat+jwt","kid":"nobody's"}"#
        let eternal = try gate.text(gate.forge.token(header: header, payload: #"{"exp":9999999999}"#))
        func wait(_ seconds: Int64, createdAt: Int64?) -> String {
            gate.decide(Gate.request(eternal, createdAt: createdAt), at: Gate.now + seconds).word
        }
        #expect(wait(3629, createdAt: Gate.now) == "wait PassportUnknownKey")
        #expect(wait(3630, createdAt: Gate.now) == "deny WaitedTooLong")
        #expect(wait(3630, createdAt: nil) == "wait PassportUnknownKey")
    }

    @Test("A passport from the future waits for the clocks to agree")
    func future() throws {
        let early = try gate.passport(issuedAt: Gate.now + 60)
        #expect(try answer(early) == "wait PassportNotYetValid")
        #expect(try answer(early, at: Gate.now + 30) == "admit")
    }

    @Test("A denial says what was found and what to do, in plain and bounded text")
    func messages() throws {
        let node = "node-18." + String(repeating: "a.", count: 110) + "example"
        let text = try gate.text(gate.passport(), name: node)
        guard case .deny(let denial) = gate.decide(Gate.request(text)) else {
            Issue.record("another node's name is denied")
            return
        }
        #expect(denial.reason == "MachineIsAnotherNode" && denial.message.count <= 1000)
        #expect(denial.message.contains("is the node node-17, not node-18.") && denial.message.hasSuffix("."))
        guard
            case .deny(let odd) = gate.decide(
                Gate.request(text, by: "a\u{1B}[2J\n" + String(repeating: "x", count: 5000), groups: []))
        else {
            Issue.record("a stranger is denied")
            return
        }
        #expect(odd.message.unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) } && odd.message.count < 400)
        for reason in Denial.Reason.allCases {
            #expect(reason.rawValue.first?.isUppercase == true && reason.rawValue.allSatisfy(\.isLetter))
        }
    }
}
