@testable import CarnetRecords
import CarnetVerifier
import CarnetService
import Cryptography
import HTTPTypes
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// Enrolments over HTTP, of TPMs whose endorsement key an operator registered. Certificates are in their own suite.
@Suite struct EnrolmentTests {
    private func register(
        _ tpm: SimulatedTPM, name: String? = nil, _ verifier: VerifierUnderTest, _ client: ServiceClient
    ) async throws {
        let digest = Hexadecimal.encode(try tpm.fingerprint)
        let named = name.map { #","name":"\#($0)""# } ?? ""
        let answer = try await client.send(
            .post, "/admin/v1/endorsement-keys", token: verifier.administrator, #"{"sha256":"\#(digest)"\#(named)}"#)
        #expect(answer.status == 201)
    }

    @Test("A registered TPM enrols, and is approved by its registration") func registered() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await register(machine.tpm, name: "node-1", verifier, client)
            let begun = try await machine.begin()
            #expect(begun.status == 201)
            let invitation = try machine.open(begun)
            #expect(invitation.nonce.count == 32 && invitation.secret.count == 32)
            #expect(invitation.selection == TPM.PCRSelectionList(bank: .sha256, indices: 0..<8))
            let answer = try await machine.activate(invitation)
            #expect(answer.status == 200)
            let node = try answer.json
            #expect(node["id"]?.string == invitation.id)
            #expect(node["subject"]?.string == "urn:carnet:node:\(invitation.id)")
            #expect(node["state"]?.string == "approved")
            #expect(node["ak"]?.string == Hexadecimal.encode(machine.tpm.attestationArea.name.bytes))
            let list = try await client.call(.get, "/admin/v1/nodes?name=node-1", token: verifier.administrator).json
            #expect(list["nodes"]?.elements?.first?["endorsement"]?.string == "registration")
        }
    }

    @Test("A TPM that nobody vouches for may not enrol; the refusal says how to register it") func unknown()
        async throws
    {
        try await VerifierUnderTest().run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let answer = try await machine.begin()
            #expect(answer.status == 403 && answer.problem == "enrolment-refused")
            #expect(answer.member == "ek.certificate")
            #expect(answer.text.contains(Hexadecimal.encode(try machine.tpm.fingerprint)))
        }
    }

    @Test("A TPM that is registered for one name does not enrol under another") func otherName() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), named: "node-2", client)
            try await register(machine.tpm, name: "node-1", verifier, client)
            let answer = try await machine.begin()
            #expect(answer.status == 403 && answer.member == "name")
        }
    }

    @Test("No two enrolments have a nonce, a secret or an identifier in common") func fresh() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await register(machine.tpm, verifier, client)
            var invitations: [SimulatedMachine.Invitation] = []
            for _ in 0..<5 { invitations.append(try machine.open(await machine.begin())) }
            #expect(Set(invitations.map(\.nonce)).count == 5)
            #expect(Set(invitations.map(\.secret)).count == 5)
            #expect(Set(invitations.map(\.id)).count == 5)
        }
    }

    @Test("A registration that is withdrawn meanwhile vouches for nothing") func withdrawn() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await register(machine.tpm, verifier, client)
            let invitation = try machine.open(await machine.begin())
            let digest = Hexadecimal.encode(try machine.tpm.fingerprint)
            let removed = try await client.call(
                .delete, "/admin/v1/endorsement-keys/\(digest)", token: verifier.administrator)
            #expect(removed.status == 204)
            let answer = try await machine.activate(invitation)
            #expect(answer.status == 403 && answer.problem == "activation-refused")
        }
    }

    @Test("A wrong secret is refused, burns the enrolment, and the right one is told to nobody") func wrongSecret()
        async throws
    {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await register(machine.tpm, verifier, client)
            let invitation = try machine.open(await machine.begin())
            let wrong = try await machine.activate(invitation, secret: [UInt8](repeating: 0, count: 32))
            #expect(wrong.status == 403 && wrong.problem == "activation-refused")
            let right = try await machine.activate(invitation)
            #expect(right.status == 403 && right.problem == "activation-refused")
            #expect(try wrong.json["detail"]?.string == right.json["detail"]?.string)
            let spellings = [Base64URL.encode(invitation.secret), Hexadecimal.encode(invitation.secret)]
            for text in [wrong.text, right.text, verifier.log.text.joined()] {
                #expect(!spellings.contains { text.contains($0) })
            }
        }
    }

    @Test("A credential cannot be opened for another attestation key, nor by another TPM") func foreignCredential()
        async throws
    {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let (machine, other) = (SimulatedMachine(try SimulatedTPM(), client), try SimulatedTPM())
            try await register(machine.tpm, verifier, client)
            let forOtherKey = try await machine.begin(attestationArea: other.attestationArea)
            #expect(forOtherKey.status == 201)
            #expect(throws: CryptographyError(.authenticationFailed, "")) { try machine.open(forOtherKey) }
            let forThisTPM = try await machine.begin()
            #expect(throws: CryptographyError(.authenticationFailed, "")) {
                try SimulatedMachine(other, client).open(forThisTPM)
            }
        }
    }

    enum Spoiled: String, CaseIterable {
        case nonce, selection, value, name, log

        @Sendable func apply(_ parts: inout SimulatedTPM.Parts) {
            switch self {
            case .nonce: parts.nonce[0] ^= 1
            case .selection: parts.selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<7)
            case .value: parts.registers[0] = [UInt8](repeating: 0, count: 32)
            case .name: parts.name = parts.name.qualified(under: .endorsement)
            case .log: break
            }
        }
    }

    @Test("A first quote that proves nothing burns the enrolment", arguments: Spoiled.allCases.filter { $0 != .log })
    func firstQuote(_ spoiled: Spoiled) async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await register(machine.tpm, verifier, client)
            let invitation = try machine.open(await machine.begin())
            let answer = try await machine.activate(invitation, spoiled.apply)
            #expect(answer.status == 403 && answer.problem == "activation-refused")
            #expect(try await machine.activate(invitation).status == 403)
            let list = try await client.call(.get, "/admin/v1/nodes", token: verifier.administrator).json
            #expect(list["nodes"]?.count == 0)
        }
    }

    @Test("A malformed second call burns the enrolment too") func malformedActivation() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await register(machine.tpm, verifier, client)
            for (body, member) in [
                ("{", nil), ("{}", "secret"), (#"{"secret":"AA"}"#, "evidence"),
                (#"{"secret":"A","evidence":{}}"#, "secret"),
                (#"{"secret":"AA","evidence":{}}"#, "evidence.ak"), (#"{"secret":"AA","evidence":[]}"#, "evidence"),
                (#"{"secret":"AA","evidence":{},"x":1}"#, "x"),
            ] as [(String, String?)] {
                let invitation = try machine.open(await machine.begin())
                let answer = try await client.send(
                    .post, "/enrolment/v1/nodes/\(invitation.id)/activation", body)
                #expect(answer.status == 400 && answer.member == member, "\(body)")
                #expect(try await machine.activate(invitation).status == 403)
            }
        }
    }

    @Test("An enrolment waits five minutes and survives a restart") func lifetime() async throws {
        let verifier = try VerifierUnderTest()
        let tpm = try SimulatedTPM()
        let (first, second) = try await verifier.run { client in
            let machine = SimulatedMachine(tpm, client)
            try await register(tpm, verifier, client)
            return (try machine.open(await machine.begin()), try machine.open(await machine.begin()))
        }
        verifier.clock.advance(by: 240)
        try await verifier.run { client in
            let machine = SimulatedMachine(tpm, client)
            let inTime = try await machine.activate(first).status
            #expect(inTime == 200)
            verifier.clock.advance(by: 70)
            #expect(try await machine.activate(second).status == 403)
        }
    }

    @Test("A known name or TPM under other keys is refused until an operator removes the old record") func known()
        async throws
    {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let (first, second) = (try SimulatedTPM(), try SimulatedTPM())
            let id = try await SimulatedMachine(first, client).enrol(administrator: verifier.administrator)
            try await register(second, verifier, client)
            let sameName = try await SimulatedMachine(second, client).begin()
            #expect(sameName.status == 409 && sameName.problem == "identity-known" && sameName.member == "name")
            let otherName = try await SimulatedMachine(first, named: "node-2", client).begin()
            #expect(otherName.status == 409 && otherName.member == "ek.public")
            let otherKey = try await SimulatedMachine(first, named: "node-2", client).begin(
                attestationArea: second.attestationArea)
            #expect(otherKey.status == 409 && otherKey.member == "ek.public")
            let again = try await SimulatedMachine(first, client).begin()
            #expect(again.status == 201)
            let removed = try await client.call(.delete, "/admin/v1/nodes/\(id)", token: verifier.administrator)
            #expect(removed.status == 204)
            let now = try await SimulatedMachine(second, client).begin()
            #expect(now.status == 201)
        }
    }

    @Test("A key that is registered for another name while its machine enrols does not enrol under the first")
    func registeredMeanwhile() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), named: "domain-controller", client)
            try await register(machine.tpm, verifier, client)
            let invitation = try machine.open(await machine.begin()), token = try verifier.administrator
            let digest = Hexadecimal.encode(try machine.tpm.fingerprint)
            _ = try await client.call(.delete, "/admin/v1/endorsement-keys/\(digest)", token: token)
            let body = #"{"sha256":"\#(digest)","name":"laptop-7"}"#
            #expect(try await client.send(.post, "/admin/v1/endorsement-keys", token: token, body).status == 201)
            let answer = try await machine.activate(invitation)
            #expect(answer.status == 403 && answer.text.contains("another name"), "\(answer.text)")
            let list = try await client.call(.get, "/admin/v1/nodes", token: token).json
            #expect(list["nodes"]?.count == 0)
        }
    }

    @Test("Of two machines that claim one name at once, one gets it") func race() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            var invitations: [(SimulatedMachine, SimulatedMachine.Invitation)] = []
            for _ in 0..<2 {
                let machine = SimulatedMachine(try SimulatedTPM(), client)
                try await register(machine.tpm, verifier, client)
                invitations.append((machine, try machine.open(await machine.begin())))
            }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for (machine, invitation) in invitations {
                    group.addTask { try await machine.activate(invitation).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }.sorted()
            }
            #expect(statuses == [200, 409])
        }
    }

    @Test("A machine that enrols again as itself keeps its identifier, but not with older boot counters") func again()
        async throws
    {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let id = try await machine.enrol(administrator: verifier.administrator)
            let same = try await machine.activate(try machine.open(await machine.begin()))
            #expect(try same.json["id"]?.string == id)
            let older = try await machine.activate(try machine.open(await machine.begin())) { $0.clock = 1 }
            #expect(older.status == 403)
        }
    }

    @Test(
        "An attestation key without each required attribute, or that may do more, is refused",
        arguments: [
            [.fixedParent, .sensitiveDataOrigin, .restricted, .sign],
            [.fixedTPM, .sensitiveDataOrigin, .restricted, .sign],
            [.fixedTPM, .fixedParent, .restricted, .sign], [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .sign],
            [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .restricted],
            [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .restricted, .sign, .decrypt],
            [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .restricted, .sign, .encryptedDuplication],
        ] as [TPM.ObjectAttributes])
    func attributes(_ attributes: TPM.ObjectAttributes) async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(attributes: attributes), client)
            try await register(machine.tpm, verifier, client)
            let answer = try await machine.begin()
            #expect(answer.status == 403 && answer.member == "ak.public")
        }
    }

    @Test(
        "A malformed first call names the member",
        arguments: [
            ("", nil), ("[1]", nil), (#"{"name":"a","ak":{"public":"AA"},"ek":{}}"#, "ak.public"), ("{}", "name"),
            (#"{"name":"../x","ek":{},"ak":{}}"#, "name"), (#"{"name":"a\n","ek":{},"ak":{}}"#, "name"),
            (#"{"name":"a","ek":{},"ak":{}}"#, "ak.public"), (#"{"name":"a","ek":{},"ak":7}"#, "ak"),
            (#"{"name":"a","ek":{},"ak":{"public":"AA=="}}"#, "ak.public"),
            (#"{"name":"a","ek":{},"ak":{"x":1}}"#, "ak.x"),
            (#"{"name":"123e4567-e89b-12d3-a456-426614174000","ek":{},"ak":{}}"#, "name"),
            (#"{"name":"a","x":{}}"#, "x"),
            (#"{"name":"a","name":"b"}"#, nil), (#"{"a":[[[[[[[[[]]]]]]]]]}"#, nil),
        ] as [(String, String?)])
    func malformed(_ body: String, _ member: String?) async throws {
        try await VerifierUnderTest().run { client in
            let answer = try await client.send(.post, "/enrolment/v1/nodes", body)
            #expect(answer.status == 400 && answer.problem == "malformed-request")
            #expect(answer.member == member)
            #expect(answer.body.count < 2048)
        }
    }

    @Test(
        "Without approval on enrolment a machine with a certificate waits; with it, it does not",
        arguments: [false, true])
    func approval(_ approves: Bool) async throws {
        let authority = try TestAuthority()
        let verifier = try VerifierUnderTest {
            $0.trustAnchors = authority.folder
            $0.approvesOnEnrolment = approves
        }
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let certificate = try authority.certificate(for: machine.tpm.endorsementKey.publicKey)
            let answer = try await machine.activate(machine.open(machine.begin(certificate: certificate)))
            #expect(try answer.json["state"]?.string == (approves ? "approved" : "pending"))
        }
    }

    @Test("A certificate that is no certificate of this key by a trusted authority is refused") func certificates()
        async throws
    {
        let (authority, stranger) = (try TestAuthority(), try TestAuthority())
        let verifier = try VerifierUnderTest { $0.trustAnchors = authority.folder }
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let key = machine.tpm.endorsementKey.publicKey
            let other = try SimulatedTPM().endorsementKey.publicKey
            for (certificate, chain) in [
                (try stranger.certificate(for: key), []), (try stranger.certificate(for: key), [try stranger.root]),
                (try authority.certificate(for: other), []),
                (try authority.certificate(for: key, usage: "serverAuth"), []),
                (try authority.root, []),
            ] {
                let answer = try await machine.begin(certificate: certificate, chain: chain)
                #expect(answer.status == 403 && answer.member == "ek.certificate")
            }
            let garbage = try await machine.begin(certificate: [0x30, 0x03, 1, 2, 3])
            #expect(garbage.status == 400 && garbage.member == "ek.certificate")
            let badChain = try await machine.begin(certificate: authority.certificate(for: key), chain: [[1]])
            #expect(badChain.status == 400 && badChain.member == "ek.chain[0]")
            let good = try await machine.begin(certificate: authority.certificate(for: key))
            #expect(good.status == 201)
        }
    }
}
