internal import Cryptography
internal import TPM2

extension UnverifiedQuote {
    /// Finds out where the bound keys live: in this TPM if the attestation key certified them, else in software.
    func checkKeys(_ key: AttestationKey, _ challenge: Challenge) throws(Broken) -> BoundKeys {
        let confirmation = try bind(
            bound.confirmation, confirmationProof, key, challenge, member: "cnf", must: .sign, mustNot: .decrypt)
        var encryption: BoundKeys.Key?, storage: BoundKeys.Key?
        if let claimed = bound.encryption {
            encryption = try bind(
                claimed, encryptionProof, key, challenge, member: "enc", must: .decrypt, mustNot: .sign)
        }
        if let claimed = bound.storage {
            storage = try bind(
                claimed, storageProof, key, challenge, member: "storage", must: [.decrypt, .restricted], mustNot: .sign)
            try checkTemplate(storage)
        }
        return BoundKeys(confirmation: confirmation, encryption: encryption, storage: storage)
    }

    /// Whoever wraps something for a storage key knows its public area from the point alone, so that it can be only one.
    private func checkTemplate(_ storage: BoundKeys.Key?) throws(Broken) {
        guard let storage, let area = storage.certified else { return }
        guard area == TPM.StorageKeyTemplate.publicArea(x: storage.x, y: storage.y) else {
            throw Broken(
                "key-attestation", "The key in storage is not of the template for storage keys",
                remedy: "Bind the storage key that this version of the agent makes")
        }
    }

    private func bind(
        _ claimed: PublicKey, _ proof: CertificationProof?, _ key: AttestationKey, _ challenge: Challenge,
        member: String,
        must: TPM.ObjectAttributes, mustNot: TPM.ObjectAttributes
    ) throws(Broken) -> BoundKeys.Key {
        guard let point = claimed.point else {
            throw Broken("bound-key", "The key in \(member) has no point", remedy: "Bind a key on P-256")
        }
        if let proof {
            try check(proof, of: claimed, by: key, challenge, member, must: must, mustNot: mustNot)
        }
        return BoundKeys.Key(x: point.x, y: point.y, key: claimed, certified: proof?.area)
    }

    /// TPM2_Certify by the attestation key, in the same boot, for the same nonce, over the name of exactly this key.
    private func check(
        _ proof: CertificationProof, of claimed: PublicKey, by key: AttestationKey, _ challenge: Challenge,
        _ member: String,
        must: TPM.ObjectAttributes, mustNot: TPM.ObjectAttributes
    ) throws(Broken) {
        func broken(_ description: String) -> Broken {
            Broken(
                "key-attestation", "The attestation of the key in \(member) fails: \(description)",
                remedy: "Let the attestation key certify the bound key in the same exchange as the quote")
        }
        guard key.signed(proof.attest.bytes, proof.signature), key.qualifiedNames.contains(proof.attest.qualifiedSigner)
        else {
            throw broken("it is not signed by the attestation key")
        }
        guard case .certify(let certified) = proof.attest.attested else { throw broken("it is no certification") }
        let expected = QualifyingData.ofCertification(nonce: challenge.nonce, bound: evidence.bound)
        guard constantTimeEqual(proof.attest.extraData, expected) else { throw broken("it answers another challenge") }
        guard proof.attest.clockInfo.resetCount == attest.clockInfo.resetCount else {
            throw broken("it is from another boot")
        }
        guard proof.area.nameAlgorithm != .insecureSHA1 else { throw broken("the key's name is a SHA-1 digest") }
        guard certified.name == proof.area.name.bytes else { throw broken("it certifies another key") }
        guard let certifiedKey = try? proof.area.publicKey(), certifiedKey == claimed else {
            throw broken("the bound key is not the certified one")
        }
        let attributes = proof.area.attributes
        let needed: TPM.ObjectAttributes = [.fixedTPM, .fixedParent, .sensitiveDataOrigin]
        guard attributes.isSuperset(of: needed.union(must)),
            attributes.isDisjoint(with: mustNot.union([.restricted, .encryptedDuplication]).subtracting(must))
        else { throw broken("its attributes are \(attributes)") }
    }
}
