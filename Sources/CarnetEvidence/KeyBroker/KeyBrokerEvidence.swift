public import Cryptography
public import StrictEncoding
public import TPM2

/// What a key-broker client sends of a TPM (CoCo KBS protocol 0.4.0, `tee` tpm), as it was read: nothing in it is believed yet.
public struct KeyBrokerEvidence: Sendable {
    /// The attestation key that the client says it used.
    public let attestationKey: PublicKey
    public let runtimeData: KeyBrokerRuntimeData
    /// What the quote has to carry as extraData, 32 bytes.
    public let qualifyingData: [UInt8]
    private let quote: Evidence.Signed
    private let pcrs: [Int: [UInt8]]

    /// The PCRs that the protocol always quotes, and quotes alone: 0 to 23 of the SHA-256 bank.
    public static let selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<24)
    /// The longest text of further devices' evidence, in bytes. It is bound by the quote, and nobody reads it.
    public static let maximumAdditionalByteCount = 16_384

    /// Reads `{"runtime-data":…,"tee-evidence":{"primary_evidence":{…},"additional_evidence":"…"}}`, and nothing else.
    public init(_ node: JSONNode, path: String) throws(EvidenceError) {
        var reader = try MemberReader(node, path: path)
        runtimeData = try KeyBrokerRuntimeData(reader.required("runtime-data"), path: reader.path(of: "runtime-data"))
        var evidence = try reader.object("tee-evidence")
        try reader.end()
        guard let additional = try evidence.required("additional_evidence").string,
            additional.utf8.count <= Self.maximumAdditionalByteCount
        else {
            throw EvidenceError(
                evidence.path(of: "additional_evidence"),
                "is not a string of at most \(Self.maximumAdditionalByteCount) bytes")
        }
        qualifyingData = runtimeData.qualifyingData(additionalEvidence: additional)
        var primary = try evidence.object("primary_evidence")
        try evidence.end()
        let key = try Self.bytes(&primary, "ak_public", maximum: 1024)
        do {
            attestationKey = try PublicKey(subjectPublicKeyInfo: key)
        } catch {
            throw EvidenceError(primary.path(of: "ak_public"), "is no SubjectPublicKeyInfo that is known: \(error)")
        }
        var quote = try primary.object("tpm_quote")
        try primary.end()
        self.quote = Evidence.Signed(
            attest: try Self.bytes(&quote, "message", maximum: 1024),
            signature: try Self.bytes(&quote, "signature", maximum: 1024))
        pcrs = try Self.values(quote.required("pcrs"), quote.path(of: "pcrs"))
        try quote.end()
    }

    /// The same as evidence of a machine whose attestation key has this Name: its only key is the guest's, which nobody vouches for.
    public func evidence(of attestationKey: TPM.Name) -> Evidence {
        let key = (x: runtimeData.x, y: runtimeData.y)
        return Evidence(
            attestationKey: attestationKey, quote: quote, pcrs: [.sha256: pcrs], eventLog: nil,
            bound: BoundKeys.encode(confirmation: key, encryption: key), keyAttestation: nil,
            encryptionKeyAttestation: nil)
    }

    private static func bytes(
        _ reader: inout MemberReader, _ name: String, maximum: Int
    ) throws(EvidenceError) -> [UInt8] {
        guard let text = try reader.required(name).string, text.utf8.count <= (maximum + 2) / 3 * 4,
            let bytes = Base64.decode(text), !bytes.isEmpty
        else { throw EvidenceError(reader.path(of: name), "is not base64 of 1 to \(maximum) bytes") }
        return bytes
    }

    private static func values(_ node: JSONNode, _ path: String) throws(EvidenceError) -> [Int: [UInt8]] {
        guard let elements = node.elements, elements.count == 24 else {
            throw EvidenceError(path, "is not an array of the 24 values of the SHA-256 bank")
        }
        var values: [Int: [UInt8]] = [:]
        for (index, element) in elements.enumerated() {
            guard let value = element.string.flatMap({ Hexadecimal.decode($0) }), value.count == 32 else {
                throw EvidenceError("\(path)[\(index)]", "is not 64 hexadecimal digits")
            }
            values[index] = value
        }
        return values
    }
}
