import CarnetAppraisal
import CarnetEvidence
import CarnetStorage
import TPM2

/// The last authentic evidence of a machine: what a new policy is tried on before it is made active.
package struct StoredEvidence: Sendable, Hashable {
    /// The envelope, without the certifications of the bound keys: they answer for a nonce that is not kept.
    package let evidence: [UInt8]
    /// TPML_PCR_SELECTION of what was asked for.
    package let selection: [UInt8]
    /// What becomes of the list of files, which is kept beside the envelope.
    private let files: KeptFileList.Change

    /// Evidence that was authenticated, the selection that it was asked for, and what was made of it.
    init(_ evidence: Evidence, selection: TPM.PCRSelectionList, _ outcome: AppraisalOutcome) {
        self.init(
            evidence: Evidence(
                attestationKey: evidence.attestationKey, quote: evidence.quote, pcrs: evidence.pcrs,
                eventLog: evidence.eventLog, runtimeLog: evidence.runtimeLog, ima: nil, bound: evidence.bound,
                keyAttestation: nil, encryptionKeyAttestation: nil
            ).bytes, selection: selection.bytes, files: KeptFileList.Change(evidence.ima, outcome))
    }

    private init(evidence: [UInt8], selection: [UInt8], files: KeptFileList.Change) {
        self.evidence = evidence
        self.selection = selection
        self.files = files
    }

    func store(of node: String, now: Int64, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO last_evidence (node_id, evidence, selection, appraised_at)
            VALUES (\(node), \(evidence), \(selection), \(now))
            ON CONFLICT (node_id) DO UPDATE SET evidence = excluded.evidence, selection = excluded.selection,
                appraised_at = excluded.appraised_at
            """)
        try KeptFileList.store(files, of: node, in: connection)
    }

    /// The evidence of a machine, and when it was appraised, in seconds since 1970.
    static func of(_ node: String, in database: any SQLDatabase) async throws -> (StoredEvidence, appraisedAt: Int64)? {
        try await database.read { connection in
            guard let row = try connection.row("SELECT * FROM last_evidence WHERE node_id = \(node)") else {
                return nil
            }
            let files = try KeptFileList.of(node, in: connection)
            let stored = StoredEvidence(
                evidence: try row.bytes("evidence"), selection: try row.bytes("selection"),
                files: files.map { .replace($0.entries) } ?? .forget)
            return (stored, appraisedAt: try row.integer("appraised_at"))
        }
    }

    /// Authenticates it anew: key, signature, selection and values. It was fresh when it came; now it is not, and is never answered with a
    /// token.
    func authenticate(by identity: NodeIdentity) throws -> AuthenticatedQuote? {
        let evidence = try Evidence(parsing: evidence)
        let quote = try UnverifiedQuote(
            Evidence(
                attestationKey: evidence.attestationKey, quote: evidence.quote, pcrs: evidence.pcrs,
                eventLog: evidence.eventLog, runtimeLog: evidence.runtimeLog, ima: files.list, bound: evidence.bound,
                keyAttestation: nil, encryptionKeyAttestation: nil))
        let outcome = quote.authenticateStored(
            by: try NodeKeys.attestationKey(of: identity), selection: try TPM.PCRSelectionList(parsing: selection))
        if case .authentic(let quote) = outcome { return quote } else { return nil }
    }
}
