import CarnetEvidence
import CarnetTesting
import Cryptography
import TPM2
import Testing

@Suite("A storage key that a quote binds")
struct StorageKeyTests {
    let machine: ForgedMachine
    let challenge: Challenge
    let storageKey: PrivateKey

    init() throws {
        machine = try ForgedMachine()
        challenge = machine.challenge()
        storageKey = try .generate()
    }

    private var area: TPM.Public {
        get throws {
            let point = try storageKey.publicKey.coordinates
            return TPM.StorageKeyTemplate.publicArea(x: point.x, y: point.y)
        }
    }

    private func authenticate(_ area: TPM.Public?) throws -> Authentication {
        try machine.authenticate(challenge) { try $0.bindStorageKey(storageKey.publicKey, area, machine, challenge) }
    }

    @Test("A certified key of the template is bound, one without a certification is only claimed")
    func bound() throws {
        let keys = try authenticate(area).accepted().keys
        #expect(keys.storage?.isInTPM == true && keys.storage?.key == storageKey.publicKey)
        #expect(keys.confirmation.isInTPM && keys.encryption?.isInTPM == true)
        #expect(try authenticate(nil).accepted().keys.storage?.isInTPM == false)
        #expect(try machine.authenticate(challenge).accepted().keys.storage == nil)
    }

    @Test("The envelope carries the certification")
    func envelope() throws {
        let evidence = try machine.evidence(challenge) {
            try $0.bindStorageKey(storageKey.publicKey, area, machine, challenge)
        }
        #expect(evidence.storageKeyAttestation != nil)
        #expect(try Evidence(parsing: evidence.bytes) == evidence)
    }

    @Test("Another template, attribute, cipher or policy is not the storage key that a relying party reckons with")
    func others() throws {
        let point = try storageKey.publicKey.coordinates, good = try area
        let key = TPM.Public.Key.ecc(curve: .p256, x: point.x, y: point.y)
        let areas = [
            TPM.Public(attributes: good.attributes, symmetric: .aesCFB(bits: 256), key: key),
            TPM.Public(attributes: good.attributes, symmetric: .null, key: key),
            TPM.Public(attributes: good.attributes.subtracting(.noDA), symmetric: .aesCFB(bits: 128), key: key),
            TPM.Public(attributes: good.attributes.subtracting(.userWithAuth), symmetric: .aesCFB(bits: 128), key: key),
            TPM.Public(attributes: good.attributes.subtracting(.restricted), symmetric: .null, key: key),
            TPM.Public(attributes: good.attributes.subtracting(.fixedTPM), symmetric: .aesCFB(bits: 128), key: key),
            TPM.Public(attributes: good.attributes.union(.sign), symmetric: .aesCFB(bits: 128), key: key),
            TPM.Public(
                nameAlgorithm: .sha384, attributes: good.attributes, symmetric: .aesCFB(bits: 128), key: key),
            TPM.Public(
                attributes: good.attributes, authPolicy: [UInt8](repeating: 0, count: 32),
                symmetric: .aesCFB(bits: 128), key: key),
        ]
        for (number, area) in areas.enumerated() {
            #expect(try authenticate(area).brokenRule == "key-attestation", "\(number)")
        }
    }

    @Test("The certification of another key does not serve, and one for a key that is not bound cannot be read")
    func exchanged() throws {
        let outcome = try machine.authenticate(challenge) {
            try $0.bindStorageKey(storageKey.publicKey, area, machine, challenge)
            $0.storage = $0.encryption
        }
        #expect(outcome.brokenRule == "key-attestation")
        let evidence = try machine.evidence(challenge) { $0.storage = $0.encryption }
        #expect { try UnverifiedQuote(evidence) } throws: {
            ($0 as? EvidenceError)?.member == "storage_key_attestation"
        }
    }
}

extension ForgedMachine.Draft {
    /// Names a storage key in `bound`, and answers the challenge for it; without an area nobody certifies it.
    mutating func bindStorageKey(
        _ key: PublicKey, _ area: TPM.Public?, _ machine: ForgedMachine, _ challenge: Challenge
    ) throws {
        bound = BoundKeys.encode(
            confirmation: try machine.confirmationKey.publicKey.coordinates,
            encryption: try machine.encryptionKey.publicKey.coordinates, storage: try key.coordinates)
        quote.extraData = QualifyingData.ofQuote(nonce: challenge.nonce, bound: bound)
        let data = QualifyingData.ofCertification(nonce: challenge.nonce, bound: bound)
        confirmation?.attestation.extraData = data
        encryption?.attestation.extraData = data
        guard let area, var proof = encryption else { return }
        proof.certify(area)
        storage = proof
    }
}
