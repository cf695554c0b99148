@testable import CarnetRecords
import CarnetVerifier
import CarnetEvidence
import CarnetService
import CarnetStorage
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// What happens while the database cannot be written: another program holds SQLite's write lock, or locks on PostgreSQL's tables.
@Suite struct UnavailableTests {
    @Test("There is no token without its ledger row: 503, and the challenge is still good") func noToken() async throws
    {
        let verifier = try verifierWithPolicy { $0.databaseTimeout = 0.5 }
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let session = try await machine.session()
            let evidence = try machine.tpm.evidence(nonce: session.nonce, session.selection).bytes
            try await verifier.database.whileLocked {
                let answer = try await machine.send(evidence, to: session)
                #expect(answer.status == 503 && answer.problem == "unavailable")
                #expect(answer.header("Retry-After") == "5")
                #expect(!answer.text.contains("eyJ") && !answer.text.contains("SQLite"))
                let unreadable = try await machine.send([0x7B], to: session)
                #expect(unreadable.status == 503)
            }
            let answer = try await machine.send(evidence, to: session)
            #expect(try answer.json["status"]?.string == "complete")
        }
    }

    @Test("Enrolment, administration and readiness are unavailable, not wrong") func others() async throws {
        let verifier = try VerifierUnderTest { $0.databaseTimeout = 0.5 }
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let admin = try verifier.administrator
            let digest = Hexadecimal.encode(try machine.tpm.fingerprint)
            _ = try await client.send(.post, "/admin/v1/endorsement-keys", token: admin, #"{"sha256":"\#(digest)"}"#)
            let invitation = try machine.open(await machine.begin())
            try await verifier.database.whileLocked {
                let begun = try await machine.begin()
                #expect(begun.status == 503)
                let activated = try await machine.activate(invitation)
                #expect(activated.status == 503)
                let token = try await client.send(
                    .post, "/admin/v1/api-tokens", token: admin, #"{"name":"x","role":"viewer"}"#)
                #expect(token.status == 503)
                let readiness = try await client.call(.get, "/readyz")
                #expect(readiness.status == 503)
                let liveness = try await client.call(.get, "/livez")
                #expect(liveness.status == 200)
            }
            #expect(try await machine.activate(invitation).status == 200)
            // Whoever asks all the time costs one look in two seconds, also while the answer is no.
            #expect(try await client.call(.get, "/readyz").status == 503)
            verifier.clock.advance(by: 3)
            #expect(try await client.call(.get, "/readyz").status == 200)
        }
    }

    @Test("Without a ledger there is no token") func noLedger() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let database = try await verifier.database.open()
            for statement: SQL in ["DROP TABLE boot_counters", "DROP TABLE ledger"] {
                try await database.write { try $0.execute(statement) }
                let answer = try await machine.answer(machine.session())
                #expect(answer.status == 503 && !answer.text.contains("eyJ"))
            }
        }
    }

    @Test("A database that was removed is noticed: no token, and not ready") func removedDatabase() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            #expect(try await client.call(.get, "/readyz").status == 200)
            let session = try await machine.session()
            verifier.database.remove()
            let answer = try await machine.answer(session)
            #expect(answer.status == 503 && !answer.text.contains("eyJ"))
            verifier.clock.advance(by: 10)
            #expect(try await client.call(.get, "/readyz").status == 503)
        }
    }
}
