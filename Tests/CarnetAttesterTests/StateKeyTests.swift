import CarnetAttester
import CarnetEvidence
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// A software TPM that measured a good boot. The TPM itself says in which state it uses a key.
@Suite("Keys that follow the state, in a TPM", .serialized, .timeLimit(.minutes(5)))
struct StateKeyTests {
    private let tpm: SoftwareTPM, device: TPMDevice
    private let state = AttesterState(), digest = HashAlgorithm.sha256.hash(Array("proof".utf8))
    private let quoted = TPM.PCRSelectionList(bank: .sha256, indices: 0..<11)
    private let covered = TPM.PCRSelectionList(bank: .sha256, indices: 0..<10)

    init() throws {
        tpm = try SoftwareTPM.copy()
        try tpm.measure(GoodBoot.log())
        device = try tpm.device()
    }

    private func keyState(_ selection: TPM.PCRSelectionList) throws -> KeyState {
        try #require(KeyState(selection, in: device.readPCRs(selection)))
    }

    private func code(_ body: () throws -> Void) -> (code: TPMDeviceError.Code?, response: UInt32?, text: String) {
        do {
            try body()
            return (nil, nil, "no error")
        } catch {
            let error = error as? TPMDeviceError
            return (error?.code, error?.responseCode, error?.description ?? "another error")
        }
    }

    @Test("The key signs in its state; once a covered PCR moves the TPM refuses, and the message says what to do")
    func signing() throws {
        let keyState = try keyState(covered), key = try device.signingKey(unique: state.signingUnique, state: keyState)
        #expect(key.publicArea.authPolicy == keyState.policy)
        #expect(key.publicArea.attributes == [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .noDA, .sign])
        let signature = try device.sign(digest: digest, with: key)
        #expect(
            try key.publicArea.publicKey().isValidECDSASignature(
                fixedWidth: signature, over: Array("proof".utf8), .sha256))
        // A PCR that the policy does not cover may move.
        try device.extend(pcr: 10, bank: .sha256, digest: digest)
        #expect(throws: Never.self) { try device.sign(digest: digest, with: key) }
        let again = try device.signingKey(unique: state.signingUnique, state: keyState)
        #expect(again.publicArea.name == key.publicArea.name, "the key is derived, not stored")
        again.close()

        try device.extend(pcr: 4, bank: .sha256, digest: digest)
        let refusal = code { _ = try device.sign(digest: digest, with: key) }
        #expect(refusal.code == .stateChanged && refusal.response == 0x99D, "TPM_RC_POLICY_FAIL: \(refusal.text)")
        #expect(refusal.text.contains("sha256:0,1,2") && refusal.text.contains("carnet-agent attest"))
        // The key of the new state is another one.
        let other = try self.keyState(covered)
        let next = try device.signingKey(unique: state.signingUnique, state: other)
        #expect(next.publicArea.name != key.publicArea.name)
        #expect(throws: Never.self) { try device.sign(digest: digest, with: next) }
    }

    @Test("Its empty password does not use the key")
    func password() throws {
        let keyState = try keyState(covered)
        // The same public area, and an agent that does not know of the policy.
        let key = try device.createPrimary(
            TPM.Public(
                attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .noDA, .sign],
                authPolicy: keyState.policy, scheme: .ecdsa(.sha256),
                key: .ecc(curve: .p256, x: state.signingUnique, y: [])))
        #expect(key.state == nil)
        // TPM_RC_AUTH_UNAVAILABLE: userWithAuth is clear.
        #expect(code { _ = try device.sign(digest: digest, with: key) }.response == 0x12F)
    }

    @Test("The encryption key agrees in its state only")
    func agreement() throws {
        let key = try device.encryptionKey(unique: state.encryptionUnique, state: keyState(covered))
        let peer = try PrivateKey.generate(), point = try #require(peer.publicKey.point)
        #expect(
            try device.sharedSecret(x: point.x, y: point.y, with: key)
                == peer.sharedSecret(with: key.publicArea.publicKey()))
        try device.extend(pcr: 7, bank: .sha256, digest: digest)
        let refusal = code { _ = try device.sharedSecret(x: point.x, y: point.y, with: key) }
        #expect(refusal.code == .stateChanged && refusal.response == 0x99D)
    }

    @Test("The key is the same in the same state, and dead after a reboot into another")
    func reboot() throws {
        let keyState = try keyState(covered)
        let first = try device.signingKey(unique: state.signingUnique, state: keyState).publicArea.name
        let reborn = try SoftwareTPM.copy()
        try reborn.measure(GoodBoot.log())
        do {
            let device = try reborn.device()
            #expect(try KeyState(covered, in: device.readPCRs(covered)) == keyState)
            let key = try device.signingKey(unique: state.signingUnique, state: keyState)
            #expect(key.publicArea.name == first, "a copy has the same seed: it is the same TPM")
            #expect(throws: Never.self) { try device.sign(digest: digest, with: key) }
        }
        try reborn.reboot()
        let device = try reborn.device()
        let key = try device.signingKey(unique: state.signingUnique, state: keyState)
        #expect(key.publicArea.name == first)
        #expect(code { _ = try device.sign(digest: digest, with: key) }.code == .stateChanged)
    }

    @Test("Evidence binds the keys to exactly the quoted values, and the storage key of the template")
    func evidence() throws {
        let collector = EvidenceCollector(
            device: device, state: state, binding: KeyBinding(.tpmState, includesStorageKey: true))
        let nonce = [UInt8](repeating: 5, count: 32)
        let evidence = try collector.collect(
            nonce: nonce, selection: quoted, stateSelection: covered, requirements: EvidenceRequirements(),
            logs: LogSources(eventLog: .bytes(GoodBoot.log().bytes)))
        #expect(try Evidence(parsing: evidence.bytes) == evidence)
        let endorsement = try device.endorsementKey(.eccP256).publicArea.name
        let attestation = try AttestationKey(
            checking: device.attestationKey().publicArea, endorsementKey: endorsement)
        let challenge = Challenge(nonce: nonce, selection: quoted, expiresAt: 1)
        guard
            case .authentic(let quote) = try UnverifiedQuote(evidence).authenticate(
                by: attestation, answering: challenge, after: nil)
        else { return #expect(Bool(false)) }
        #expect(quote.keys.confirmation.isBound(to: covered, of: quote.pcrs))
        #expect(quote.keys.encryption?.isBound(to: covered, of: quote.pcrs) == true)
        #expect(!quote.keys.confirmation.isBound(to: quoted, of: quote.pcrs))
        #expect(quote.keys.storage?.isInTPM == true)
    }

    @Test("PCRs that are not quoted cannot be bound to")
    func unquoted() throws {
        let collector = EvidenceCollector(device: device, state: state, binding: KeyBinding(.tpmState))
        let refusal = code {
            _ = try collector.collect(
                nonce: [1], selection: covered, stateSelection: quoted, requirements: EvidenceRequirements(),
                logs: LogSources(eventLog: .nowhere))
        }
        #expect(refusal.code == .refused && refusal.text.contains("sha256:0,1"))
    }

    /// Keys as an attacker with root would have them made and certified: the TPM certifies each, and none is bound to the state.
    @Test("Real keys with other policies are certified by the TPM, and never taken for keys that follow the state")
    func others() throws {
        let values = try device.readPCRs(quoted)
        let right = try #require(TPM.PolicyDigest().pcr(covered, in: values))
        var changed = values
        changed[.sha256]?[4] = digest
        let wrong = try #require(TPM.PolicyDigest().pcr(covered, in: changed))
        let base: TPM.ObjectAttributes = [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .noDA, .sign]
        let cases: [(String, TPM.ObjectAttributes, [UInt8])] = [
            ("the right policy and a password", base.union(.userWithAuth), right.bytes),
            ("other values", base, wrong.bytes), ("no policy", base, []),
            ("all that is quoted", base, try #require(TPM.PolicyDigest().pcr(quoted, in: values)).bytes),
            ("PolicyOR", base, TPM.PolicyDigest().or([right, wrong]).bytes),
            ("PolicyAuthorize", base, HashAlgorithm.sha256.hash(HashAlgorithm.sha256.hash(Array("key".utf8)))),
        ]
        let attestation = try device.attestationKey()
        let endorsement = try device.endorsementKey(.eccP256)
        let checked = try AttestationKey(
            checking: attestation.publicArea, endorsementKey: endorsement.publicArea.name)
        endorsement.close()
        let nonce = [UInt8](repeating: 6, count: 32)
        for (what, attributes, policy) in cases {
            let template = TPM.Public(
                attributes: attributes, authPolicy: policy, scheme: .ecdsa(.sha256),
                key: .ecc(curve: .p256, x: state.signingUnique, y: []))
            let key = try device.createPrimary(template)
            let point = try #require(try key.publicArea.publicKey().point)
            let bound = BoundKeys.encode(confirmation: point, encryption: nil)
            let certified = try device.certify(
                key, by: attestation, qualifyingData: QualifyingData.ofCertification(nonce: nonce, bound: bound))
            let area = key.publicArea.bytes
            key.close()
            let quote = try device.quote(
                quoted, by: attestation, qualifyingData: QualifyingData.ofQuote(nonce: nonce, bound: bound))
            let evidence = Evidence(
                attestationKey: attestation.publicArea.name,
                quote: .init(attest: quote.attest, signature: quote.signature), pcrs: values, eventLog: nil,
                bound: bound,
                keyAttestation: .init(
                    publicArea: area,
                    certification: .init(attest: certified.attest, signature: certified.signature)),
                encryptionKeyAttestation: nil)
            let authentication = try UnverifiedQuote(evidence).authenticate(
                by: checked, answering: Challenge(nonce: nonce, selection: quoted, expiresAt: 1), after: nil)
            guard case .authentic(let result) = authentication else {
                #expect(Bool(false), "\(what): \(authentication)")
                continue
            }
            #expect(result.keys.confirmation.isInTPM, "\(what)")
            #expect(!result.keys.confirmation.isBound(to: covered, of: result.pcrs), "\(what)")
        }
    }
}
