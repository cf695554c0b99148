import CarnetRelyingParty
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import ServiceHarness
import Testing
import VerifierHarness

extension Acknowledgements.Content {
    /// Holds what was acknowledged against what the database says and what the verifier serves.
    func audit(_ database: any SQLDatabase, _ client: ServiceClient) async throws {
        #expect(faults.isEmpty, "\(faults.prefix(3))")
        #expect(!answers.values.contains { $0.count > 1 }, "a challenge was answered twice")
        let ledger = Ledger(database)
        #expect(try await ledger.faults().isEmpty)
        let recorded = Set(try await ledger.newest(10_000_000).compactMap(\.tokenID))
        #expect(recorded.isSuperset(of: passports.keys), "a passport without its row in the ledger")
        let nodes = try await database.read { try $0.rows("SELECT id FROM nodes").map { try $0.text("id") } }
        #expect(machines.isSubset(of: nodes), "a machine that was enrolled is not there")
        let told = try await database.read { connection in
            try connection.rows("SELECT subject FROM ledger WHERE kind = 'enrolment-activated'").map {
                try $0.text("subject")
            }
        }
        #expect(machines.isSubset(of: told), "an enrolment that the ledger does not tell of")
        try await judge(client)
    }

    /// A relying party refuses what was withdrawn, and nothing else.
    private func judge(_ client: ServiceClient) async throws {
        let relyingParty = try await Office.relyingParty(client), now = Office.now
        for (id, passport) in passports {
            var refusal: Refusal.Code?
            do throws(Refusal) {
                _ = try relyingParty.verify(passport, at: now)
            } catch { refusal = error.code }
            guard refusal != .expired else { continue }
            // Whether one happened of which nobody heard is unknown.
            guard withdrawn.contains(id) || !tried.contains(id) else { continue }
            #expect(refusal == (withdrawn.contains(id) ? .revoked : nil), "\(id)")
        }
    }
}
