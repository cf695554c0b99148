import CarnetRecords
package import CarnetAppraisal
package import CarnetEvidence
import CarnetStorage
import TPM2

/// The last authentic evidence of a machine: what a new policy is tried on before it is made active, and what the verdict about it can be
/// reached from again.
package struct StoredEvidence: Sendable, Hashable {
    /// The whole envelope, when ``inputs`` are kept: as it arrived for a passport; written anew for a background check, whose request has
    /// the relying party's nonce beside it. Else without its list of files and its certifications.
    let bytes: [UInt8]
    /// TPML_PCR_SELECTION of what was asked for.
    package let selection: [UInt8]
    /// What the appraisal depended on; `nil` for evidence that was too long to keep as it was, or was kept by an earlier release.
    let inputs: AppraisalInputs?
    /// The ledger's entry about it.
    let place: LedgerPlace?
    /// What becomes of the list of files, which is kept beside the envelope.
    private let files: KeptFileList.Change

    /// The longest evidence that is kept as it arrived, in bytes.
    static let maximumByteCount = 8 << 20

    /// Evidence that was authenticated, its bytes as they are to be kept, and what was made of it.
    package init(_ evidence: Evidence, _ bytes: [UInt8], _ inputs: AppraisalInputs, _ outcome: AppraisalOutcome) {
        let isKept = bytes.count <= Self.maximumByteCount
        self.init(
            bytes: isKept ? bytes : Self.envelope(evidence, ima: nil).bytes, selection: inputs.selection,
            inputs: isKept ? inputs : nil, place: nil, files: KeptFileList.Change(evidence.ima, outcome))
    }

    private init(
        bytes: [UInt8], selection: [UInt8], inputs: AppraisalInputs?, place: LedgerPlace?, files: KeptFileList.Change
    ) {
        self.bytes = bytes
        self.selection = selection
        self.inputs = inputs
        self.place = place
        self.files = files
    }

    func store(
        of node: String, now: Int64, as place: LedgerPlace?, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO last_evidence (node_id, evidence, selection, appraised_at, inputs, chain, number)
            VALUES (\(node), \(bytes), \(selection), \(now), \(inputs?.bytes), \(place?.chain), \(place?.number))
            ON CONFLICT (node_id) DO UPDATE SET evidence = excluded.evidence, selection = excluded.selection,
                appraised_at = excluded.appraised_at, inputs = excluded.inputs, chain = excluded.chain,
                number = excluded.number
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
            var place: LedgerPlace?
            if let chain = try row.optionalText("chain"), let number = try row.optionalInteger("number") {
                place = LedgerPlace(chain: chain, number: number)
            }
            let stored = StoredEvidence(
                bytes: try row.bytes("evidence"), selection: try row.bytes("selection"),
                inputs: try row.optionalBytes("inputs").flatMap(AppraisalInputs.init(parsing:)), place: place,
                files: files.map { .replace($0.entries) } ?? .forget)
            return (stored, appraisedAt: try row.integer("appraised_at"))
        }
    }

    /// The envelope for operators: without the list of files, and without the certifications of the bound keys.
    func envelope() throws -> [UInt8] { Self.envelope(try Evidence(parsing: bytes), ima: nil).bytes }

    private static func envelope(_ evidence: Evidence, ima: Evidence.IMA?) -> Evidence {
        Evidence(
            attestationKey: evidence.attestationKey, quote: evidence.quote, pcrs: evidence.pcrs,
            eventLog: evidence.eventLog, runtimeLog: evidence.runtimeLog, ima: ima, bound: evidence.bound,
            keyAttestation: nil, encryptionKeyAttestation: nil)
    }

    /// Authenticates it anew, with the whole list of files: key, signature, selection and values. It was fresh when it came; now it is not,
    /// and is never answered with a token.
    func authenticate(by identity: NodeIdentity) throws -> AuthenticatedQuote? {
        try authenticate(by: identity, ima: files.list)
    }

    /// The same, with the list of files as it came.
    func authenticateAsItCame(by identity: NodeIdentity) throws -> AuthenticatedQuote? {
        try authenticate(by: identity, ima: Evidence(parsing: bytes).ima)
    }

    private func authenticate(by identity: NodeIdentity, ima: Evidence.IMA?) throws -> AuthenticatedQuote? {
        let quote = try UnverifiedQuote(Self.envelope(Evidence(parsing: bytes), ima: ima))
        let outcome = quote.authenticateStored(
            by: try NodeKeys.attestationKey(of: identity), selection: try TPM.PCRSelectionList(parsing: selection))
        if case .authentic(let quote) = outcome { return quote } else { return nil }
    }
}
