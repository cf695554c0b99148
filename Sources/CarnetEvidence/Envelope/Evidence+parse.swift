internal import MeasurementLogs
package import StrictEncoding
internal import TPM2

extension Evidence {
    /// The longest envelope that is read, in bytes: room for the three logs at their longest, in base64url.
    public static let maximumByteCount = 40 << 20
    /// The longest event log that is read, in bytes: what its parser reads.
    public static let maximumEventLogByteCount = EventLog.Limits.standard.maximumByteCount
    /// The longest runtime log that is read, in bytes: what its parser reads.
    public static let maximumRuntimeLogByteCount = RuntimeLog.maximumByteCount

    /// The most values of JSON in an envelope: four times what every PCR of every bank and all other members take.
    private static let maximumValueCount = 512

    /// How evidence is written.
    public enum Form: Sendable, Hashable {
        /// The envelope itself, ``Evidence/mediaType``.
        case plain
        /// A CMW in JSON that holds one: a record, or a collection with one record (RFC 9999).
        case wrapped
    }

    /// Reads an envelope, or a CMW in JSON that holds one (RFC 9999).
    ///
    /// Members that are not known are refused: whoever sends one means something by it that would go unseen.
    ///
    /// - Parameter form: What a media type said; `nil` to find out. No text is both.
    public init(parsing bytes: [UInt8], as form: Form? = nil) throws(EvidenceError) {
        let root = try Self.document(bytes)
        switch form ?? (MessageWrapper.isWrapper(root) ? .wrapped : .plain) {
        case .plain: self = try Evidence(root)
        case .wrapped: self = try Evidence(Self.unwrapped(root, path: ""))
        }
    }

    /// The envelope inside a CMW, as JSON.
    package static func unwrapped(_ node: JSONNode, path: String) throws(EvidenceError) -> JSONNode {
        try document(MessageWrapper.evidence(in: node, path))
    }

    private static func document(_ bytes: [UInt8]) throws(EvidenceError) -> JSONNode {
        do {
            return try JSONDocument(
                parsing: bytes, maximumByteCount: maximumByteCount, maximumDepth: 4,
                maximumValueCount: maximumValueCount
            ).root
        } catch {
            throw EvidenceError("", "the evidence is not JSON that can be read in one way: \(error)")
        }
    }

    /// Reads the envelope as a member of another document.
    package init(_ node: JSONNode, path: String = "") throws(EvidenceError) {
        var reader = try MemberReader(node, path: path)
        let name = try reader.bytes("ak", maximum: 66)
        do {
            attestationKey = try TPM.Name(parsing: name)
        } catch {
            throw EvidenceError(reader.path(of: "ak"), "is no name of a key: \(error)")
        }
        quote = try Signed(reader.object("quote"), attest: "attest")
        pcrs = try Self.readPCRs(reader.required("pcrs"), reader.path(of: "pcrs"))
        eventLog = try reader.optionalBytes("event_log", maximum: Self.maximumEventLogByteCount)
        runtimeLog = try reader.optionalBytes("runtime_log", maximum: Self.maximumRuntimeLogByteCount)
        ima = try IMA(reader.optional("ima"), reader.path(of: "ima"))
        bound = try reader.bytes("bound", maximum: 4096)
        keyAttestation = try KeyAttestation(reader.optional("key_attestation"), reader.path(of: "key_attestation"))
        encryptionKeyAttestation = try KeyAttestation(
            reader.optional("encryption_key_attestation"), reader.path(of: "encryption_key_attestation"))
        storageKeyAttestation = try KeyAttestation(
            reader.optional("storage_key_attestation"), reader.path(of: "storage_key_attestation"))
        try reader.end()
    }

    private static func readPCRs(
        _ node: JSONNode, _ path: String
    ) throws(EvidenceError) -> [TPM.AlgorithmID: [Int: [UInt8]]] {
        guard let banks = node.members else { throw EvidenceError(path, "is \(node.kind), not an object") }
        var pcrs: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
        for (bankName, values) in banks {
            guard let bank = TPM.AlgorithmID(hashNamed: bankName) else {
                throw EvidenceError(path, "names a bank that is not known")
            }
            guard let members = values.members else {
                throw EvidenceError(path + "." + bankName, "is \(values.kind), not an object")
            }
            var bankValues: [Int: [UInt8]] = [:]
            for (indexName, value) in members {
                guard let index = Int(indexName), (0..<24).contains(index), String(index) == indexName else {
                    throw EvidenceError(path + "." + bankName, "names a PCR that does not exist; PCRs are 0 to 23")
                }
                bankValues[index] = try MemberReader.bytes(value, "\(path).\(bankName).\(index)", maximum: 64)
            }
            pcrs[bank] = bankValues
        }
        return pcrs
    }
}

extension Evidence.IMA {
    /// The most entries that may come before those that are sent: more than any machine writes.
    public static let maximumOffset = 1 << 40
    /// The most bytes of entries that are read.
    public static let maximumByteCount = 24 << 20

    init?(_ node: JSONNode?, _ path: String) throws(EvidenceError) {
        guard let node else { return nil }
        var reader = try MemberReader(node, path: path)
        offset = try reader.integer("offset", in: 0...Self.maximumOffset)
        entries = try reader.bytes("entries", maximum: Self.maximumByteCount)
        try reader.end()
    }
}

extension Evidence.Signed {
    init(_ reader: MemberReader, attest: String) throws(EvidenceError) {
        var reader = reader
        self.init(
            attest: try reader.bytes(attest, maximum: 1024), signature: try reader.bytes("signature", maximum: 1024))
        try reader.end()
    }
}

extension Evidence.KeyAttestation {
    init?(_ node: JSONNode?, _ path: String) throws(EvidenceError) {
        guard let node else { return nil }
        var reader = try MemberReader(node, path: path)
        publicArea = try reader.bytes("public", maximum: 1024)
        certification = Evidence.Signed(
            attest: try reader.bytes("certify", maximum: 1024), signature: try reader.bytes("signature", maximum: 1024))
        try reader.end()
    }
}
