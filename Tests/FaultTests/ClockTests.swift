import CarnetEvidence
import CarnetRelyingParty
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// A verifier whose clock jumps.
@Suite(.timeLimit(.minutes(3)))
struct ClockTests {
    @Test("A clock that jumps both ways breaks no chain, opens no challenge again, and takes no withdrawal back")
    func jumps() async throws {
        let policy = try SimulatedTPM.policyFile()
        let verifier = try VerifierUnderTest { $0.policyFile = policy }
        try await verifier.run { client in
            let administrator = try verifier.administrator
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: administrator)
            var used: [(SimulatedMachine.Session, [UInt8])] = [], withdrawn: String?
            for jump: Int64 in [0, 3600, -3600, 86_400, -2 * 86_400, 40 * 86_400, -30 * 86_400] {
                // A challenge that is open while the clock jumps is good, or it has run out: nothing else.
                let open = try await machine.session()
                verifier.clock.advance(by: jump)
                let late = try await machine.answer(open)
                #expect([200, 409, 410].contains(late.status), "\(jump): \(late.text)")
                let session = try await machine.session()
                let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
                let answer = try await machine.send(evidence, to: session)
                let token = Array(try #require(try answer.json["result"]?.string, "\(jump): \(answer.text)").utf8)
                used.append((session, evidence))
                for (session, evidence) in used {
                    let again = try await machine.send(evidence, to: session)
                    #expect(again.status == 409 || again.status == 410, "\(jump): \(again.text)")
                }
                let relyingParty = try await Office.relyingParty(client)
                let claims = try relyingParty.verify(token, at: verifier.clock.now)
                if withdrawn == nil {
                    withdrawn = claims.tokenID
                    let answer = try await client.send(
                        .post, "/admin/v1/revocations", token: administrator,
                        #"{"token":"\#(claims.tokenID)","reason":"a test"}"#)
                    #expect(answer.status == 201)
                }
            }
            let ledger = Ledger(try await verifier.database.open())
            #expect(try await ledger.faults().isEmpty)
            let list = try await client.call(.get, "/admin/v1/revocations", token: administrator)
            #expect(list.text.contains(try #require(withdrawn)))
        }
    }
}
