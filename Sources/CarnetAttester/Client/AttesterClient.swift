public import CarnetClient
public import CarnetEvidence
internal import Cryptography
package import StrictEncoding
public import TPM2

/// The attester's half of the protocol with a verifier: enrolment and attestation.
public struct AttesterClient: Sendable {
    public let connection: ServiceConnection

    /// A client over a connection.
    public init(_ connection: ServiceConnection) { self.connection = connection }

    /// Why the verifier's answer cannot be used.
    public struct Unreadable: Error, CustomStringConvertible {
        public let description: String
    }

    /// How an enrolment ended.
    public struct Enrolled: Sendable {
        public let subject: String
        /// `approved` or `pending`.
        public let state: String
    }

    /// What became of evidence: a passport, findings, or both.
    public struct Attested: Sendable {
        /// The signed result; `nil` when the chain of evidence is broken.
        public let token: [UInt8]?
        public let findings: [Finding]
        /// The values of the PCRs that were quoted: those that the policy looks at.
        public internal(set) var quoted: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
    }

    /// Proves to the verifier that the attestation key and the endorsement key are in one TPM.
    public func enrol(
        _ collector: EvidenceCollector, name: String, template: TPM.EndorsementKeyTemplate, logs: LogSources
    ) async throws -> Enrolled {
        let device = collector.device
        let certificate = try device.endorsementCertificate(template)
        let chain = try device.endorsementCertificateChain()
        let request = try enrolmentRequest(collector, name, template, certificate, chain)
        let answer = try await object(
            connection.send("POST", "/enrolment/v1/nodes", contentType: "application/json", body: request))
        guard let identifier = answer["id"]?.string.flatMap(Self.pathComponent),
            let blob = answer["credential_blob"].flatMap(Self.bytes),
            let secret = answer["encrypted_secret"].flatMap(Self.bytes),
            let nonce = answer["nonce"].flatMap(Self.bytes),
            let selection = answer["pcr_selection"].flatMap(Self.selection)
        else { throw Unreadable(description: "The verifier's answer to the enrolment lacks a member.") }
        let credential = TPM.Credential(idObject: blob, encryptedSecret: secret)
        let opened = try activate(credential, collector, template)
        let evidence = try collector.collect(
            nonce: nonce, selection: selection, requirements: Self.requirements(answer), logs: logs)
        let activation = JSONWriter.object { writer in
            writer.base64URL("secret", opened)
            writer.object("evidence") { evidence.write(to: &$0) }
        }
        let path = "/enrolment/v1/nodes/\(identifier)/activation"
        let node = try await object(connection.send("POST", path, contentType: "application/json", body: activation))
        guard let subject = node["subject"]?.string, let state = node["state"]?.string else {
            throw Unreadable(description: "The verifier's answer to the activation lacks a member.")
        }
        return Enrolled(subject: subject, state: state)
    }

    private func enrolmentRequest(
        _ collector: EvidenceCollector, _ name: String, _ template: TPM.EndorsementKeyTemplate,
        _ certificate: Certificate?,
        _ chain: [Certificate]
    ) throws -> [UInt8] {
        let endorsement = try collector.device.endorsementKey(template).publicArea.bytes
        let attestation = try collector.device.attestationKey(collector.state.attestationKey).publicArea.bytes
        return JSONWriter.object { writer in
            writer.string("name", name)
            writer.object("ek") { writer in
                writer.base64URL("public", endorsement)
                if let certificate { writer.base64URL("certificate", certificate.der) }
                if !chain.isEmpty {
                    writer.array("chain") { writer in for link in chain { writer.element(Base64URL.encode(link.der)) } }
                }
            }
            writer.object("ak") { $0.base64URL("public", attestation) }
        }
    }

    private func activate(
        _ credential: TPM.Credential, _ collector: EvidenceCollector, _ template: TPM.EndorsementKeyTemplate
    ) throws -> [UInt8] {
        let endorsement = try collector.device.endorsementKey(template)
        let attestation = try collector.device.attestationKey(collector.state.attestationKey)
        defer {
            endorsement.close()
            attestation.close()
        }
        return try collector.device.activate(credential, for: attestation, endorsementKey: endorsement)
    }

    package func object(_ answer: ServiceConnection.Answer) throws -> JSONNode {
        do {
            return try JSONDocument(parsing: answer.body, maximumByteCount: 4 << 20, maximumDepth: 8).root
        } catch {
            throw Unreadable(description: "The verifier's answer is not JSON: \(error)")
        }
    }

    /// An identifier that may stand in a path: base64url or a UUID.
    static func pathComponent(_ text: String) -> String? {
        let isSafe = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isSafe && (1...1024).contains(text.utf8.count) ? text : nil
    }

    static func bytes(_ node: JSONNode) -> [UInt8]? { node.string.flatMap { Base64URL.decode($0) } }

    /// `[{"bank":"sha256","pcrs":[0,1]}]`, in the order in which the banks are quoted.
    package static func selection(_ node: JSONNode) -> TPM.PCRSelectionList? {
        guard let elements = node.elements, !elements.isEmpty, elements.count <= 8 else { return nil }
        var selections: [TPM.PCRSelection] = []
        for element in elements {
            guard let bank = element["bank"]?.string.flatMap(TPM.AlgorithmID.init(hashNamed:)),
                let indices = element["pcrs"]?.elements?.compactMap({ $0.integer.flatMap { Int(exactly: $0) } })
            else { return nil }
            selections.append(TPM.PCRSelection(bank: bank, indices: indices))
        }
        return TPM.PCRSelectionList(selections)
    }
}
