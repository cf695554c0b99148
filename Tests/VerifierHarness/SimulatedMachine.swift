import CarnetEvidence
import Cryptography
import HTTPTypes
package import ServiceHarness
import StrictEncoding
package import TPM2

/// A machine with a ``SimulatedTPM`` that speaks to a verifier, step by step.
package struct SimulatedMachine: Sendable {
    /// Its TPM.
    package let tpm: SimulatedTPM
    /// Its name.
    package let name: String
    private let client: ServiceClient

    /// A machine.
    package init(_ tpm: SimulatedTPM, named name: String = "node-1", _ client: ServiceClient) {
        self.tpm = tpm
        self.name = name
        self.client = client
    }

    /// The first call of an enrolment.
    ///
    /// - Parameters:
    ///   - certificate: The endorsement certificate, DER.
    package func begin(
        certificate: [UInt8]? = nil, chain: [[UInt8]] = [], attestationArea: TPM.Public? = nil
    ) async throws -> ServiceClient.Answer {
        let body = JSONWriter.object { writer in
            writer.string("name", name)
            writer.object("ek") { writer in
                writer.base64URL("public", tpm.endorsementArea.bytes)
                if let certificate { writer.base64URL("certificate", certificate) }
                if !chain.isEmpty {
                    writer.array("chain") { writer in for der in chain { writer.element(Base64URL.encode(der)) } }
                }
            }
            writer.object("ak") { $0.base64URL("public", (attestationArea ?? tpm.attestationArea).bytes) }
        }
        return try await client.call(.post, "/enrolment/v1/nodes", type: "application/json", body: body)
    }

    /// What the verifier asked in an enrolment.
    package struct Invitation: Sendable {
        /// The enrolment's identifier.
        package let id: String
        /// The opened secret.
        package let secret: [UInt8]
        /// What the quote has to cover.
        package let nonce: [UInt8]
        /// The PCRs to quote.
        package let selection: TPM.PCRSelectionList
    }

    /// Opens the credential of the first answer.
    package func open(_ answer: ServiceClient.Answer) throws -> Invitation {
        let json = try answer.json
        guard let id = json["id"]?.string, let credential = json.bytes("credential_blob"),
            let encryptedSecret = json.bytes("encrypted_secret"), let nonce = json.bytes("nonce"),
            let selection = json["pcr_selection"]
        else { throw VerifierUnderTest.Unexpected(answer: answer.text) }
        return Invitation(
            id: id, secret: try tpm.open(credential: credential, encryptedSecret: encryptedSecret), nonce: nonce,
            selection: try Self.selection(selection))
    }

    /// The second call.
    package func activate(
        _ invitation: Invitation, secret: [UInt8]? = nil, _ spoil: (inout SimulatedTPM.Parts) -> Void = { _ in }
    ) async throws -> ServiceClient.Answer {
        let evidence = try tpm.evidence(nonce: invitation.nonce, invitation.selection, spoil)
        let body = JSONWriter.object { writer in
            writer.base64URL("secret", secret ?? invitation.secret)
            writer.json("evidence", evidence.bytes)
        }
        return try await client.call(
            .post, "/enrolment/v1/nodes/\(invitation.id)/activation", type: "application/json", body: body)
    }

    /// Both calls, and the operator's part before and after them.
    ///
    /// - Returns: The machine's identifier.
    @discardableResult
    package func enrol(administrator: String) async throws -> String {
        let digest = Hexadecimal.encode(try tpm.fingerprint)
        _ = try await client.send(
            .post, "/admin/v1/endorsement-keys", token: administrator, #"{"sha256":"\#(digest)"}"#)
        let answer = try await activate(open(begin()))
        guard answer.status == 200, let id = try answer.json["id"]?.string else {
            throw VerifierUnderTest.Unexpected(answer: answer.text)
        }
        return id
    }

    /// A challenge.
    package struct Session: Sendable {
        /// Where its evidence goes.
        package let path: String
        /// What the quote has to cover.
        package let nonce: [UInt8]
        /// The PCRs to quote.
        package let selection: TPM.PCRSelectionList
    }

    /// Asks for a challenge.
    package func session(_ query: String = "") async throws -> Session {
        let answer = try await client.call(.post, "/challenge-response/v1/newSession" + query)
        guard answer.status == 201, let location = answer.header("Location"),
            let nonce = try answer.json.bytes("nonce"),
            let selection = try answer.json["pcr_selection"]
        else { throw VerifierUnderTest.Unexpected(answer: answer.text) }
        return Session(
            path: "/challenge-response/v1/" + location, nonce: nonce, selection: try Self.selection(selection))
    }

    /// Answers a challenge.
    package func answer(
        _ session: Session, _ spoil: (inout SimulatedTPM.Parts) -> Void = { _ in }
    ) async throws -> ServiceClient.Answer {
        try await send(tpm.evidence(nonce: session.nonce, session.selection, spoil).bytes, to: session)
    }

    /// Sends bytes as evidence.
    package func send(
        _ evidence: [UInt8], to session: Session, type: String = Evidence.mediaType
    ) async throws -> ServiceClient.Answer {
        try await client.call(.post, session.path, type: type, body: evidence)
    }

    private static func selection(_ node: JSONNode) throws -> TPM.PCRSelectionList {
        TPM.PCRSelectionList(
            (node.elements ?? []).compactMap { element in
                guard let bank = element["bank"]?.string.flatMap(TPM.AlgorithmID.init(hashNamed:)) else { return nil }
                let indices = (element["pcrs"]?.elements ?? []).compactMap { $0.integer.map(Int.init) }
                return TPM.PCRSelection(bank: bank, indices: indices)
            })
    }
}

extension SimulatedTPM {
    /// SHA-256 of the endorsement key's SubjectPublicKeyInfo.
    package var fingerprint: [UInt8] {
        get throws { HashAlgorithm.sha256.hash(try endorsementKey.publicKey.subjectPublicKeyInfo) }
    }
}

extension JSONNode {
    /// The bytes of a member in base64url.
    package func bytes(_ member: String) -> [UInt8]? { self[member]?.string.flatMap { Base64URL.decode($0) } }
}
