public import CarnetEvidence
public import Cryptography
public import TPM2

/// Makes evidence of every wrongness with keys in software: what a TPM would sign, and what none would.
public struct EvidenceForge: Sendable {
    public let attestationKey: PrivateKey
    public let passportKey: PrivateKey
    public let encryptionKey: PrivateKey
    /// The name of an endorsement key that does not matter here.
    public static let endorsementName = TPM.EndorsementKeyTemplate.rsa2048.publicArea.name

    /// Fresh keys.
    public init() throws {
        attestationKey = try PrivateKey.generate()
        passportKey = try PrivateKey.generate()
        encryptionKey = try PrivateKey.generate()
    }

    /// What may be spoiled; the defaults are good.
    public struct Recipe: Sendable {
        public var magic: UInt32 = 0xFF54_4347
        public var type: UInt16 = 0x8018
        public var clock: UInt64 = 5000
        public var resetCount: UInt32 = 3
        public var restartCount: UInt32 = 0
        public var hierarchy = TPM.Hierarchy.endorsement
        public var quotedSelection: TPM.PCRSelectionList?
        public var pcrs: [TPM.AlgorithmID: [Int: [UInt8]]]?
        public var digestHash = HashAlgorithm.sha256
        public var qualifyingData: [UInt8]?
        public var signatureHash = HashAlgorithm.sha256
        public var trailing: [UInt8] = []
        public var signer: PrivateKey?
        public var eventLog: [UInt8]?
        public var certifyNonce: [UInt8]?
        public var certifyType: UInt16 = 0x8017
        public var certifyResetCount: UInt32?
        public var certifySigner: PrivateKey?
        public var certifiedArea: TPM.Public?
        public var certifiedName: [UInt8]?
        public var passportAttributes: TPM.ObjectAttributes = [
            .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .sign,
        ]
        public var hasKeyAttestation = true
        public var bound: [UInt8]?

        /// A recipe for good evidence.
        public init() {}
    }

    /// The attestation key's public area.
    public func attestationArea(
        attributes: TPM.ObjectAttributes = [
            .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .restricted, .sign,
        ],
        scheme: TPM.KeyScheme = .ecdsa(.sha256), symmetric: TPM.SymmetricDefinition = .null,
        nameAlgorithm: HashAlgorithm = .sha256
    ) -> TPM.Public {
        Self.area(attestationKey, attributes, scheme, symmetric, nameAlgorithm)
    }

    /// The checked attestation key.
    public func key() throws -> AttestationKey {
        try AttestationKey(checking: attestationArea(), endorsementKey: Self.endorsementName)
    }

    /// Evidence for a challenge; good unless the recipe is not.
    public func evidence(
        _ challenge: Challenge, pcrs: [TPM.AlgorithmID: [Int: [UInt8]]], _ recipe: Recipe = Recipe()
    ) throws -> Evidence {
        let area = attestationArea()
        let signer = area.name.qualified(under: recipe.hierarchy).bytes
        let points = (passportKey.publicKey.point, encryptionKey.publicKey.point)
        let bound =
            recipe.bound
            ?? BoundKeys.encode(
                confirmation: points.0 ?? ([], []), encryption: points.1 ?? ([], []))
        let selection = recipe.quotedSelection ?? challenge.selection
        let values = recipe.pcrs ?? pcrs
        let joined = selection.selections.flatMap { bank in
            bank.indices.flatMap { (recipe.pcrs ?? pcrs)[bank.bank]?[$0] ?? [] }
        }
        let data = recipe.qualifyingData ?? QualifyingData.ofQuote(nonce: challenge.nonce, bound: bound)
        let head = attest(recipe.magic, recipe.type, signer, data, recipe.resetCount, recipe)
        let body =
            recipe.type == 0x8018
            ? selection.bytes + sized(recipe.digestHash.hash(joined)) : sized(area.name.bytes) + sized(signer)
        let quote = try sign(head + body + recipe.trailing, by: recipe.signer ?? attestationKey, recipe.signatureHash)
        let passportArea = recipe.certifiedArea ?? Self.area(passportKey, recipe.passportAttributes, .ecdsa(.sha256))
        let certified = try certify(passportArea, signer, challenge, bound, recipe)
        let encryptionArea = Self.area(
            encryptionKey, [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .decrypt], .ecdh(.sha256))
        let encryption = try certify(encryptionArea, signer, challenge, bound, Recipe.good(like: recipe))
        return Evidence(
            attestationKey: area.name, quote: quote, pcrs: values, eventLog: recipe.eventLog, bound: bound,
            keyAttestation: recipe.hasKeyAttestation ? certified : nil,
            encryptionKeyAttestation: recipe.bound == nil && recipe.hasKeyAttestation ? encryption : nil)
    }

    private func certify(
        _ area: TPM.Public, _ signer: [UInt8], _ challenge: Challenge, _ bound: [UInt8], _ recipe: Recipe
    ) throws -> Evidence.KeyAttestation {
        let data = QualifyingData.ofCertification(nonce: recipe.certifyNonce ?? challenge.nonce, bound: bound)
        let head = attest(
            0xFF54_4347, recipe.certifyType, signer, data, recipe.certifyResetCount ?? recipe.resetCount, recipe)
        let body =
            sized(recipe.certifiedName ?? area.name.bytes) + sized(area.name.qualified(under: .endorsement).bytes)
        let signed = try sign(head + body, by: recipe.certifySigner ?? attestationKey, .sha256)
        return Evidence.KeyAttestation(publicArea: area.bytes, certification: signed)
    }

    private func attest(
        _ magic: UInt32, _ type: UInt16, _ signer: [UInt8], _ data: [UInt8], _ resetCount: UInt32, _ recipe: Recipe
    ) -> [UInt8] {
        big(magic) + big(type) + sized(signer) + sized(data) + big(recipe.clock) + big(resetCount)
            + big(recipe.restartCount) + [1] + big(UInt64(0x2019_1023_0016_3636))
    }

    private func sign(_ bytes: [UInt8], by key: PrivateKey, _ hash: HashAlgorithm) throws -> Evidence.Signed {
        let raw = try key.ecdsaSignature(over: bytes, hash)
        let signature = TPM.Signature.ecdsa(
            hash: TPM.AlgorithmID(hash), r: Array(raw.prefix(raw.count / 2)), s: Array(raw.suffix(raw.count / 2)))
        return Evidence.Signed(attest: bytes, signature: signature.bytes)
    }

    /// The public area of a software key.
    public static func area(
        _ key: PrivateKey, _ attributes: TPM.ObjectAttributes, _ scheme: TPM.KeyScheme,
        _ symmetric: TPM.SymmetricDefinition = .null, _ nameAlgorithm: HashAlgorithm = .sha256
    ) -> TPM.Public {
        let point = key.publicKey.point ?? ([], [])
        return TPM.Public(
            nameAlgorithm: nameAlgorithm, attributes: attributes, symmetric: symmetric, scheme: scheme,
            key: .ecc(curve: key.curve, x: point.x, y: point.y))
    }

    private func sized(_ bytes: [UInt8]) -> [UInt8] { big(UInt16(clamping: bytes.count)) + bytes }

    private func big(_ value: some FixedWidthInteger) -> [UInt8] {
        stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}

extension EvidenceForge.Recipe {
    /// A good recipe with another's times.
    static func good(like other: Self) -> Self {
        var recipe = Self()
        recipe.clock = other.clock
        recipe.resetCount = other.resetCount
        recipe.restartCount = other.restartCount
        return recipe
    }
}
