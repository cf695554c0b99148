import CarnetAppraisal
import CarnetEvidence
import CarnetResult
import CarnetStorage
import CarnetTesting
import CarnetRecords
import CarnetVerifier
import Cryptography
import Fixtures
import Foundation
import StrictEncoding
import TPM2
import VerifierHarness

/// What an attestation costs without a service around it: microseconds of this process's processor time for each step.
struct LibraryCost: Encodable {
    /// From the envelope's bytes to the verdict: parse, three signatures, the log replayed, the policy.
    let appraise: Double
    /// From the verdict to the signed passport.
    let mint: Double
    /// The transaction that records it: the challenge used, the row in the ledger, counters, evidence and a status entry.
    let row: Double
    /// The bytes that a machine sends.
    let evidenceByteCount: Int

    var sum: Double { appraise + mint + row }

    /// Measures the steps, each in several rounds of which the middle one counts.
    static func measure(_ count: Int, policy text: String) async throws -> LibraryCost {
        let subject = try Subject(policy: text, count: count)
        let (quote, outcome) = try subject.appraise(subject.envelopes[0])
        guard case .verdict(let verdict) = outcome, verdict.status == .affirming else {
            throw Failure("the machine is not affirming")
        }
        let key = try SigningKey(.generate())
        let appraise = try middle(count) { _ = try subject.appraise(subject.envelopes[$0]) }
        let mint = try middle(count) { _ in _ = try key.mint(Self.result(verdict, quote)) }
        let recorder = try await Recorder(subject, quote, outcome)
        var rounds: [Double] = []
        for round in 0..<roundCount {
            let start = ProcessUse.own.processorTime
            for index in 0..<count { try await recorder.record(round * count + index, subject.envelopes[index]) }
            rounds.append((ProcessUse.own.processorTime - start) / Double(count))
        }
        return LibraryCost(
            appraise: appraise, mint: mint, row: rounds.sorted()[roundCount / 2],
            evidenceByteCount: subject.envelopes[0].count)
    }

    private static let roundCount = 5

    private static func middle(_ count: Int, _ step: (Int) throws -> Void) rethrows -> Double {
        try (0..<roundCount).map { _ in
            let start = ProcessUse.own.processorTime
            for index in 0..<count { try step(index) }
            return (ProcessUse.own.processorTime - start) / Double(count)
        }.sorted()[roundCount / 2]
    }

    /// The result that the verifier would sign.
    private static func result(_ verdict: Verdict, _ quote: AuthenticatedQuote) throws -> AttestationResult {
        let list = StatusListID(hour: 500_000, number: 0)
        return AttestationResult(
            issuer: VerifierUnderTest.issuer, subject: "urn:carnet:node:" + UUID().uuidString,
            audience: [VerifierUnderTest.audience], issuedAt: Office.now,
            tokenID: Base64URL.encode(SecureRandom.bytes(16)),
            nonce: [UInt8](repeating: 7, count: 32), verifierID: .init(developer: "https://carnet.example", build: "b"),
            keyThumbprint: try JSONWebKey(quote.keys.confirmation.key).thumbprint,
            appraisal: try verdict.submodule(for: quote),
            statusReference: StatusReference(uri: list.uri(issuer: VerifierUnderTest.issuer), index: 1))
    }
}

/// A machine, and envelopes that it made before the clock starts.
private struct Subject {
    let tpm: SimulatedTPM
    let policy: Policy
    let key: AttestationKey
    let challenge: Challenge
    let envelopes: [[UInt8]]

    init(policy text: String, count: Int) throws {
        let tpm = try Fleet(count: 1).tpms[0], policy = try Policy(parsing: Array(text.utf8))
        let nonce = [UInt8](repeating: 1, count: 32)
        (self.tpm, self.policy) = (tpm, policy)
        key = try AttestationKey(checking: tpm.attestationArea, endorsementKey: tpm.endorsementArea.name)
        challenge = Challenge(nonce: nonce, selection: policy.selection, expiresAt: .max)
        envelopes = try (0..<count).map { _ in try tpm.evidence(nonce: nonce, policy.selection).bytes }
    }

    func appraise(_ envelope: [UInt8]) throws -> (AuthenticatedQuote, AppraisalOutcome) {
        let quote = try UnverifiedQuote(Evidence(parsing: envelope))
        guard case .authentic(let authentic) = quote.authenticate(by: key, answering: challenge, after: nil) else {
            throw Failure("the evidence is not authentic")
        }
        return (authentic, Appraiser(policy: policy).appraise(authentic, at: Office.now))
    }
}

/// The verifier's ledger in a file of its own, with one machine.
private struct Recorder {
    private let ledger: Ledger
    private let node: Node
    private let quote: AuthenticatedQuote
    private let outcome: AppraisalOutcome
    private let evidence: Evidence
    private let selection: TPM.PCRSelectionList

    init(_ subject: Subject, _ quote: AuthenticatedQuote, _ outcome: AppraisalOutcome) async throws {
        let database = try SQLiteDatabase(path: TemporaryFolder.path("rows"))
        let now = Office.now
        try await database.migrate(Schema.migrations, now: now)
        ledger = Ledger(database)
        let identity = NodeIdentity(
            name: "machine", endorsement: .certificate, endorsementKeyDigest: try subject.tpm.fingerprint,
            endorsementKey: subject.tpm.endorsementArea.bytes, endorsementCertificate: nil,
            attestationKeyName: subject.tpm.attestationArea.name.bytes,
            attestationKey: subject.tpm.attestationArea.bytes)
        let addition = try await NodeStore(ledger).add(
            UUID().uuidString.lowercased(), identity, boot: quote.counters, firmwareVersion: quote.firmwareVersion,
            approver: "benchmark", now: now)
        guard case .added(let node) = addition else { throw Failure("the machine was not added") }
        self.node = node
        self.quote = quote
        self.outcome = outcome
        evidence = try Evidence(parsing: subject.envelopes[0])
        selection = subject.policy.selection
    }

    /// Writes what the verifier writes for each passport.
    func record(_ number: Int, _ envelope: [UInt8]) async throws {
        let now = Office.now, digest = HashAlgorithm.sha256.hash(envelope)
        let inputs = AppraisalInputs(
            call: .passport, time: now, evidence: digest, selection: selection, previous: nil, checkpoint: nil,
            templates: [])
        let particulars = LedgerEntry.Particulars(outcome, inputs, expiry: now + 300, "key")
        let subject = Ledger.Subject(
            node: node, counters: quote.counters, firmwareVersion: quote.firmwareVersion,
            evidence: StoredEvidence(evidence, envelope, inputs, outcome), latestRevocation: -1)
        let entry = LedgerEntry(
            time: now, kind: .passport, challengeDigest: HashAlgorithm.sha256.hash(number.bigEndianBytes),
            challengeExpiresAt: now + 150, requester: nil, nodeID: node.id, outcome: .affirming,
            policyDigest: digest, evidenceDigest: digest, tokenID: Base64URL.encode(SecureRandom.bytes(16)),
            findings: Array("[]".utf8), particulars: particulars)
        let (recording, _) = try await ledger.record(subject, statusLifetime: 300) { _ in entry }
        guard recording == .recorded else { throw Failure("an appraisal was not recorded") }
    }
}
