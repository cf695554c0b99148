public import CarnetEvidence
public import Cryptography
public import TPM2

extension ForgedMachine {
    /// Evidence before it is signed: a test may change any of it.
    public struct Draft: Sendable {
        public var name: TPM.Name
        public var quote: ForgedAttestation
        /// Who signs quote and certifications.
        public var signer: PrivateKey
        /// The hash that is signed with, and the one that the signature states.
        public var hash: HashAlgorithm
        public var statedHash: HashAlgorithm
        public var pcrs: [TPM.AlgorithmID: [Int: [UInt8]]]
        public var log: [UInt8]?
        public var runtimeLog: [UInt8]?
        public var ima: Evidence.IMA?
        public var bound: [UInt8]
        public var confirmation: Certification?
        public var encryption: Certification?
        public var storage: Certification?
    }

    /// The certification of a bound key.
    public struct Certification: Sendable {
        public var area: TPM.Public
        public var attestation: ForgedAttestation
        /// `nil`: the quote's signer.
        public var signer: PrivateKey?

        /// Certifies another area.
        public mutating func certify(_ area: TPM.Public) {
            self.area = area
            attestation.attested = area.name.bytes.sized + area.name.qualified(under: .endorsement).bytes.sized
        }
    }

    /// Evidence that answers a challenge.
    ///
    /// - Parameters:
    ///   - requirements: Which logs are wanted; the machine sends those that it has.
    ///   - isBoundInTPM: Whether the attestation key certifies the bound keys.
    ///   - spoil: Changes what is signed or sent.
    public func evidence(
        _ challenge: Challenge, wanting requirements: EvidenceRequirements = EvidenceRequirements(),
        isBoundInTPM: Bool = true, _ spoil: (inout Draft) throws -> Void = { _ in }
    ) throws -> Evidence {
        var draft = try draft(challenge, isBoundInTPM: isBoundInTPM)
        draft.log = requirements.eventLog == .none ? nil : log
        draft.runtimeLog = requirements.runtimeLog == .none ? nil : runtimeLog?.bytes
        draft.ima = requirements.imaOffset.flatMap(ima)
        try spoil(&draft)
        return Evidence(
            attestationKey: draft.name, quote: try Self.sign(draft.quote, draft.signer, draft), pcrs: draft.pcrs,
            eventLog: draft.log, runtimeLog: draft.runtimeLog, ima: draft.ima, bound: draft.bound,
            keyAttestation: try Self.sign(draft.confirmation, draft),
            encryptionKeyAttestation: try Self.sign(draft.encryption, draft),
            storageKeyAttestation: try Self.sign(draft.storage, draft))
    }

    /// The evidence, authenticated.
    public func authenticate(
        _ challenge: Challenge, wanting requirements: EvidenceRequirements = EvidenceRequirements(),
        after previous: BootCounters? = nil, isBoundInTPM: Bool = true,
        _ spoil: (inout Draft) throws -> Void = { _ in }
    ) throws -> Authentication {
        try UnverifiedQuote(evidence(challenge, wanting: requirements, isBoundInTPM: isBoundInTPM, spoil))
            .authenticate(by: key, answering: challenge, after: previous)
    }

    private func draft(_ challenge: Challenge, isBoundInTPM: Bool) throws -> Draft {
        let bound = BoundKeys.encode(
            confirmation: try confirmationKey.publicKey.coordinates,
            encryption: try encryptionKey.publicKey.coordinates)
        let signer = area.name.qualified(under: endorsementArea.name.qualified(under: .endorsement).bytes).bytes
        var pcrs: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
        for selection in challenge.selection.selections {
            let indices = selection.indices
            pcrs[selection.bank] = registers[selection.bank, default: [:]].filter { indices.contains($0.key) }
        }
        var quote = ForgedAttestation(
            type: ForgedAttestation.quote, qualifiedSigner: signer,
            extraData: QualifyingData.ofQuote(nonce: challenge.nonce, bound: bound),
            attested: Self.quoted(challenge.selection, pcrs, hash))
        quote.clock = clock
        quote.resetCount = resetCount
        func certification(
            _ key: PrivateKey, _ usage: TPM.ObjectAttributes, _ scheme: TPM.KeyScheme
        ) throws -> Certification {
            let area = try Self.area(
                key, attributes: usage.union([.fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth]),
                scheme: scheme)
            var attestation = ForgedAttestation(
                type: ForgedAttestation.certify, qualifiedSigner: signer,
                extraData: QualifyingData.ofCertification(nonce: challenge.nonce, bound: bound), attested: [])
            attestation.clock = clock
            attestation.resetCount = resetCount
            var certification = Certification(area: area, attestation: attestation)
            certification.certify(area)
            return certification
        }
        return Draft(
            name: area.name, quote: quote, signer: attestationKey, hash: hash, statedHash: hash, pcrs: pcrs, log: log,
            bound: bound,
            confirmation: isBoundInTPM ? try certification(confirmationKey, .sign, .ecdsa(.sha256)) : nil,
            encryption: isBoundInTPM ? try certification(encryptionKey, .decrypt, .ecdh(.sha256)) : nil)
    }

    /// The arm of a quote: TPML_PCR_SELECTION and the digest of the values in its order.
    public static func quoted(
        _ selection: TPM.PCRSelectionList, _ pcrs: [TPM.AlgorithmID: [Int: [UInt8]]], _ hash: HashAlgorithm
    ) -> [UInt8] {
        let values = selection.selections.flatMap { selection in
            selection.indices.flatMap { pcrs[selection.bank]?[$0] ?? [] }
        }
        return selection.bytes + hash.hash(values).sized
    }

    private static func sign(
        _ attestation: ForgedAttestation, _ signer: PrivateKey, _ draft: Draft
    ) throws -> Evidence.Signed {
        let bytes = attestation.bytes
        let signature = try signer.ecdsaSignature(over: bytes, draft.hash)
        let half = signature.count / 2
        let structure = TPM.Signature.ecdsa(
            hash: TPM.AlgorithmID(draft.statedHash), r: Array(signature.prefix(half)), s: Array(signature.suffix(half)))
        return Evidence.Signed(attest: bytes, signature: structure.bytes)
    }

    private static func sign(_ certification: Certification?, _ draft: Draft) throws -> Evidence.KeyAttestation? {
        guard let certification else { return nil }
        return Evidence.KeyAttestation(
            publicArea: certification.area.bytes,
            certification: try sign(certification.attestation, certification.signer ?? draft.signer, draft))
    }
}
