import CarnetEvidence
import Cryptography
import CarnetTesting
import TPM2
import Testing

@Suite("Keys that a quote binds (security check 17)")
struct KeyAttestationTests {
    let machine: ForgedMachine
    let challenge: Challenge

    init() throws {
        machine = try ForgedMachine()
        challenge = machine.challenge()
    }

    @Test("Certified keys are in the TPM, others are in software")
    func protection() throws {
        let certified = try machine.authenticate(challenge).accepted().keys
        #expect(certified.confirmation.isInTPM && certified.encryption?.isInTPM == true)
        #expect(certified.confirmation.key == machine.confirmationKey.publicKey)
        #expect(certified.encryption?.key == machine.encryptionKey.publicKey)
        let software = try machine.authenticate(challenge, isBoundInTPM: false).accepted().keys
        #expect(!software.confirmation.isInTPM && software.encryption?.isInTPM == false)
        let mixed = try machine.authenticate(challenge) { $0.encryption = nil }.accepted().keys
        #expect(mixed.confirmation.isInTPM && mixed.encryption?.isInTPM == false)
    }

    /// A way to spoil a certification that must not survive.
    enum Spoiling: CaseIterable {
        case quoteType, otherNonce, quotesData, otherBoot, otherHierarchy, otherSigner, otherName, otherArea, otherKey
    }

    @Test("Every link of a certification is needed", arguments: Spoiling.allCases)
    func links(spoiling: Spoiling) throws {
        let other = try ForgedMachine()
        let outcome = try machine.authenticate(challenge) { draft in
            guard var proof = draft.confirmation else { return }
            switch spoiling {
            case .quoteType:
                proof.attestation.type = ForgedAttestation.quote
                proof.attestation.attested = draft.quote.attested
            case .otherNonce:
                proof.attestation.extraData = QualifyingData.ofCertification(nonce: [1], bound: draft.bound)
            case .quotesData: proof.attestation.extraData = draft.quote.extraData
            case .otherBoot: proof.attestation.resetCount += 1
            case .otherHierarchy:
                proof.attestation.qualifiedSigner = machine.area.name.qualified(under: .owner).bytes
            case .otherSigner: proof.signer = other.attestationKey
            case .otherName: proof.attestation.attested = machine.area.name.bytes.sized + [].sized
            case .otherArea:
                // The area that is sent is of the bound key, and the one that was certified is another.
                let sent = proof.area
                proof.certify(machine.area)
                proof.area = sent
            case .otherKey:
                // A key that the TPM really has is certified; the bound one is not it.
                proof.certify(
                    try ForgedMachine.area(
                        other.confirmationKey, attributes: proof.area.attributes, scheme: .ecdsa(.sha256)))
            }
            draft.confirmation = proof
        }
        #expect(outcome.brokenRule == "key-attestation")
    }

    @Test(
        "A signing key in the TPM signs and does not decrypt, is not restricted, and never was outside",
        arguments: [
            [.fixedParent, .sensitiveDataOrigin, .sign], [.fixedTPM, .sensitiveDataOrigin, .sign],
            [.fixedTPM, .fixedParent, .sign], [.fixedTPM, .fixedParent, .sensitiveDataOrigin],
            [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .decrypt],
            [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .sign, .decrypt],
            [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .sign, .restricted],
            [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .sign, .encryptedDuplication],
        ] as [TPM.ObjectAttributes])
    func signingAttributes(attributes: TPM.ObjectAttributes) throws {
        let outcome = try machine.authenticate(challenge) {
            $0.confirmation?.certify(
                try ForgedMachine.area(machine.confirmationKey, attributes: attributes, scheme: .ecdsa(.sha256)))
        }
        #expect(outcome.brokenRule == "key-attestation")
    }

    @Test(
        "An encryption key in the TPM decrypts and does not sign",
        arguments: [
            [.fixedParent, .sensitiveDataOrigin, .decrypt], [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .sign],
            [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .decrypt, .sign],
            [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .decrypt, .restricted],
        ] as [TPM.ObjectAttributes])
    func encryptionAttributes(attributes: TPM.ObjectAttributes) throws {
        let outcome = try machine.authenticate(challenge) {
            $0.encryption?.certify(
                try ForgedMachine.area(machine.encryptionKey, attributes: attributes, scheme: .ecdh(.sha256)))
        }
        #expect(outcome.brokenRule == "key-attestation")
    }

    @Test("A certified key's name is no SHA-1 digest")
    func weakName() throws {
        let outcome = try machine.authenticate(challenge) { draft in
            guard let attributes = draft.confirmation?.area.attributes else { return }
            draft.confirmation?.certify(
                try ForgedMachine.area(
                    machine.confirmationKey, name: .insecureSHA1, attributes: attributes, scheme: .ecdsa(.sha256)))
        }
        #expect(outcome.brokenRule == "key-attestation")
    }

    @Test("The certification of one bound key does not serve the other")
    func exchanged() throws {
        let outcome = try machine.authenticate(challenge) { swap(&$0.confirmation, &$0.encryption) }
        #expect(outcome.brokenRule == "key-attestation")
    }

    @Test("A certification of a key that is not bound cannot be read")
    func superfluous() throws {
        let evidence = try machine.evidence(challenge) {
            $0.bound = BoundKeys.encode(
                confirmation: try machine.confirmationKey.publicKey.coordinates, encryption: nil)
        }
        #expect { try UnverifiedQuote(evidence) } throws: {
            ($0 as? EvidenceError)?.member == "encryption_key_attestation"
        }
    }
}
