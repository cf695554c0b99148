import CarnetEvidence
import CarnetResult
import CarnetService
import CarnetStorage
import Cryptography
import Logging
import Synchronization
import TPM2
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// What may happen between reading the evidence and writing the ledger row: here it happens right before the write.
@Suite struct InFlightTests {
    /// A database that lets something else happen before the next write.
    private struct InterruptedDatabase: SQLDatabase {
        let base: any SQLDatabase
        let interruption: @Sendable () async throws -> Void

        func read<Value: Sendable>(
            _ body: @escaping @Sendable (any SQLConnection) throws -> Value
        ) async throws -> Value { try await base.read(body) }

        func write<Value: Sendable>(
            _ body: @escaping @Sendable (any SQLConnection) throws -> Value
        ) async throws -> Value {
            try await interruption()
            return try await base.write(body)
        }
    }

    /// Appraises good evidence of an approved machine while `interruption` happens.
    private func appraise(
        _ interruption: @escaping @Sendable (any SQLDatabase, Node) async throws -> Void
    ) async throws -> (Appraisals.Decision, [LedgerEntry]) {
        let base = try await testDatabase()
        let tpm = try SimulatedTPM()
        let node = try await Self.add(tpm, to: base)
        let database = InterruptedDatabase(base: base) { try await interruption(base, node) }
        let key = try SigningKey(.generate())
        let issuer = TokenIssuer(
            issuer: "https://verifier.example", lifetime: 300, signingKey: { key }, refersToStatusLists: true)
        let appraisals = Appraisals(
            nodes: NodeStore(base), ledger: Ledger(database),
            policy: ActivePolicy(PolicyStore(base), PCRTemplateStore(base), ReferenceSetStore(base)),
            revocations: Revocations(base), issuer: issuer, clock: .system, metrics: VerifierMetrics(),
            rates: .none)
        let challenge = Challenge(
            nonce: SecureRandom.bytes(32), selection: ActivePolicy.selectionWithoutPolicy, expiresAt: .max)
        let evidence = try tpm.evidence(nonce: challenge.nonce, challenge.selection)
        let request = EvidenceRequest(
            kind: .passport, challenge: challenge, challengeDigest: ChallengeDigest.session(challenge.nonce),
            body: evidence.bytes, audience: ["x"], requester: nil)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let decision = try await appraisals.decide(request, logger: logger) { evidence }
        return (decision, try await Ledger(base).newest(10))
    }

    private static func add(_ tpm: SimulatedTPM, to database: any SQLDatabase) async throws -> Node {
        let identity = NodeIdentity(
            name: "node", endorsement: .certificate, endorsementKeyDigest: try tpm.fingerprint,
            endorsementKey: tpm.endorsementArea.bytes, endorsementCertificate: nil,
            attestationKeyName: tpm.attestationArea.name.bytes, attestationKey: tpm.attestationArea.bytes)
        let boot = BootCounters(resetCount: 1, restartCount: 0, clock: 1)
        let addition = try await NodeStore(database).add(
            "node", identity, boot: boot, firmwareVersion: 1, approver: "operator", now: 1)
        guard case .added(let node) = addition else { throw StorageError(.conflict, "the node was not added") }
        return node
    }

    private static func rules(_ decision: Appraisals.Decision) -> [String]? {
        if case .failed(let findings) = decision { findings.map(\.rule) } else { nil }
    }

    @Test("Undisturbed, there is a token") func undisturbed() async throws {
        let (decision, entries) = try await appraise { _, _ in }
        #expect(Self.rules(decision) == nil)
        #expect(entries.map(\.outcome) == [.none])
    }

    @Test("A machine that is removed meanwhile gets none") func removed() async throws {
        let (decision, entries) = try await appraise { database, node in
            _ = try await NodeStore(database).remove(node.id, now: 1)
        }
        #expect(Self.rules(decision)?.first == "node-changed")
        // The other entry is the removal's own.
        #expect(entries.count == 2 && Set(entries.map(\.outcome)) == [.failed, .revoked])
        #expect(entries.allSatisfy { $0.tokenID == nil })
    }

    @Test("A machine whose later quote is recorded meanwhile gets none for the earlier one") func overtaken()
        async throws
    {
        let (decision, entries) = try await appraise { database, node in
            let later = BootCounters(resetCount: 2, restartCount: 0, clock: 1)
            _ = try await NodeStore(database).add(
                "again", node.identity, boot: later, firmwareVersion: 1, approver: nil, now: 2)
        }
        #expect(Self.rules(decision)?.first == "boot-counters")
        #expect(entries.map(\.outcome) == [.failed])
    }

    @Test("A machine whose labels change meanwhile gets none: another policy may be its own") func relabelled()
        async throws
    {
        let (decision, _) = try await appraise { database, node in
            _ = try await NodeStore(database).label(node.id, #require(NodeLabels(["rack": "9"])), by: "a", now: 1)
        }
        #expect(Self.rules(decision)?.first == "node-changed")
    }

    @Test("A token is withdrawn by a decision that came after its appraisal began, in whichever second")
    func withdrawn()
        async throws
    {
        let kept = Mutex<(any SQLDatabase)?>(nil)
        let (decision, entries) = try await appraise { database, _ in
            kept.withLock { $0 = database }
            // By a clock that is far behind: what counts is the order of the decisions.
            _ = try await Revocations(database).revoke(.node("node"), reason: "x", by: "a", now: 1)
        }
        #expect(Self.rules(decision) == nil)
        let token = try #require(entries.first { $0.tokenID != nil }?.tokenID)
        let row = try await #require(kept.withLock(\.self)).read { connection in
            try connection.row(
                """
                SELECT 1 FROM status_entries JOIN revoked_entries USING (hour, list, position)
                WHERE token_id = \(token)
                """)
        }
        #expect(row != nil)
    }
}
