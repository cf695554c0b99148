import BrokerHarness
import CarnetEvidence
import CarnetResult
import Cryptography
import HTTPTypes
import ServiceHarness
import StrictEncoding
import TPM2
import VerifierHarness

/// A guest's key-broker client, written from the protocol's text alone: it shares no code with the broker but base64 and the hash.
struct KeyBrokerClient: Sendable {
    let broker: ServiceClient
    let tpm: SimulatedTPM
    /// The guest's key.
    let key: PrivateKey

    init(_ broker: ServiceClient, _ tpm: SimulatedTPM, _ key: PrivateKey? = nil) throws {
        self.broker = broker
        self.tpm = tpm
        self.key = try key ?? PrivateKey.generate()
    }

    /// A session that waits for evidence.
    struct Session: Sendable {
        let cookie: String
        let nonce: String
    }

    /// `POST /auth`.
    func begin(
        _ body: String =
            #"{"version":"0.4.0","tee":"tpm","extra-params":{"supported-hash-algorithms":["sha256","sha384"]}}"#
    ) async throws -> ServiceClient.Answer { try await broker.send(.post, "/kbs/v0/auth", body) }

    func session() async throws -> Session {
        let answer = try await begin()
        guard answer.status == 200, let cookie = answer.header("Set-Cookie")?.split(separator: ";").first,
            let nonce = try answer.json["nonce"]?.string, try answer.json["extra-params"]?.string == ""
        else { throw VerifierUnderTest.Unexpected(answer: answer.text) }
        return Session(cookie: String(cookie), nonce: nonce)
    }

    /// What is sent, before it is written: a test may change any of it.
    struct Draft: Sendable {
        var nonce: String
        /// The members of `tee-pubkey`, sorted as JCS has them.
        var key: [(String, String)]
        var additional = ""
        /// What the quote carries; `nil` for what binds the rest.
        var qualifyingData: [UInt8]?
        var selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<24)
        var parts: @Sendable (inout SimulatedTPM.Parts) -> Void = { _ in }
        var attestationKey: [UInt8]
        /// Changes the JSON text.
        var text: @Sendable (String) -> String = { $0 }
        /// Changes values after they were signed.
        var values: @Sendable (inout [String]) -> Void = { _ in }

        /// The canonical text that the protocol binds.
        var canonical: String {
            let key = key.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",")
            return "{\"additional-evidence\":\"\(additional)\",\"nonce\":\"\(nonce)\",\"tee-pubkey\":{\(key)}}"
        }
    }

    /// The body of `POST /attest`.
    func evidence(_ nonce: String, _ spoil: (inout Draft) throws -> Void = { _ in }) throws -> String {
        let point = try JSONWebKey(key.publicKey)
        var draft = Draft(
            nonce: nonce,
            key: [
                ("alg", "ECDH-ES+A256KW"), ("crv", "P-256"), ("kty", "EC"), ("x", Base64URL.encode(point.x)),
                ("y", Base64URL.encode(point.y)),
            ],
            attestationKey: try tpm.attestationArea.publicKey().subjectPublicKeyInfo)
        try spoil(&draft)
        let data =
            draft.qualifyingData ?? Array(HashAlgorithm.sha384.hash(Array(draft.canonical.utf8)).prefix(32))
        let evidence = try tpm.evidence(nonce: [], draft.selection) { [draft] parts in
            parts.qualifyingData = data
            draft.parts(&parts)
        }
        var values = (0..<24).map {
            Hexadecimal.encode(evidence.pcrs[.sha256]?[$0] ?? [UInt8](repeating: 0, count: 32))
        }
        draft.values(&values)
        let members = draft.key.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",")
        return draft.text(
            """
            {"init-data":null,"runtime-data":{"nonce":"\(draft.nonce)","tee-pubkey":{\(members)}},
             "tee-evidence":{"primary_evidence":{"ak_public":"\(Base64.encode(draft.attestationKey))",
              "tpm_quote":{"signature":"\(Base64.encode(evidence.quote.signature))",
               "message":"\(Base64.encode(evidence.quote.attest))",
               "pcrs":[\(values.map { "\"\($0)\"" }.joined(separator: ","))]}},
             "additional_evidence":"\(draft.additional)"}}
            """)
    }

    /// `POST /attest`.
    func attest(_ session: Session, _ body: String) async throws -> ServiceClient.Answer {
        try await broker.call(
            .post, "/kbs/v0/attest", type: "application/json", headers: [("Cookie", session.cookie)],
            body: Array(body.utf8))
    }

    /// A whole session that attested.
    func attested() async throws -> (session: Session, token: String) {
        let session = try await session()
        let answer = try await attest(session, evidence(session.nonce))
        guard answer.status == 200, let token = try answer.json["token"]?.string else {
            throw VerifierUnderTest.Unexpected(answer: answer.text)
        }
        return (session, token)
    }

    /// `GET /resource/…`.
    func resource(
        _ name: String = "default/key/1", session: Session? = nil, bearer: String? = nil
    ) async throws -> ServiceClient.Answer {
        try await broker.call(
            .get, "/kbs/v0/resource/" + name, token: bearer, headers: session.map { [("Cookie", $0.cookie)] } ?? [])
    }

    /// What a flattened JWE holds.
    func open(_ answer: ServiceClient.Answer, with other: PrivateKey? = nil) throws -> [UInt8] {
        let json = try answer.json, holder = other ?? key
        let parts = ["protected", "encrypted_key", "iv", "ciphertext", "tag"].map { json[$0]?.string ?? "" }
        return try SecretMessage.open(Array(parts.joined(separator: ".").utf8), recipientInfo: []) { peer in
            try holder.sharedSecret(with: peer.publicKey())
        }
    }
}

extension ServiceClient.Answer {
    /// The protocol's word for an error.
    var keyBrokerError: String? {
        let prefix = "https://github.com/confidential-containers/kbs/errors/"
        guard let type = try? json["type"]?.string, type.hasPrefix(prefix) else { return nil }
        return String(type.dropFirst(prefix.count))
    }
}
