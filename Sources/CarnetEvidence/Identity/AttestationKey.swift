public import Cryptography
public import TPM2

/// A key whose signatures are attestations: it signs nothing that its TPM did not make itself.
///
/// That holds because of its attributes, which this type's initialiser demands, if the key is in a TPM at all, which enrolment proves.
public struct AttestationKey: Sendable {
    public let publicArea: TPM.Public
    public let name: TPM.Name
    /// The key, imported once.
    public let key: PublicKey
    public let hash: HashAlgorithm
    /// The qualified names that the key can have: primary in the endorsement hierarchy, or child of the endorsement key. Outside of that
    /// hierarchy a TPM masks its boot counters and firmware version.
    let qualifiedNames: [[UInt8]]

    /// Why a public area cannot be an attestation key's.
    public struct Unsuitable: Error, Hashable, CustomStringConvertible {
        /// A stable name of the rule.
        public let rule: String
        public let description: String
    }

    /// What an attestation key must be (TPM 2.0 Library, Part 1, "Restricted Signing"), exactly.
    static let requiredAttributes: TPM.ObjectAttributes = [
        .fixedTPM, .fixedParent, .sensitiveDataOrigin, .restricted, .sign,
    ]
    /// What it may be besides.
    static let allowedAttributes: TPM.ObjectAttributes = [.userWithAuth, .adminWithPolicy, .noDA, .stClear]

    /// Checks attributes, algorithms and sizes, and computes the name.
    ///
    /// - Parameter endorsementKey: The name of the endorsement key under which the key may have been created.
    public init(checking area: TPM.Public, endorsementKey: TPM.Name) throws(Unsuitable) {
        let missing = Self.requiredAttributes.subtracting(area.attributes)
        guard missing.isEmpty else {
            throw Unsuitable(rule: "ak-attributes", description: "the attestation key lacks the attributes \(missing)")
        }
        let excess = area.attributes.subtracting(Self.requiredAttributes).subtracting(Self.allowedAttributes)
        guard excess.isEmpty else {
            throw Unsuitable(
                rule: "ak-attributes", description: "the attestation key must not have the attributes \(excess)")
        }
        guard area.nameAlgorithm != .insecureSHA1 else {
            throw Unsuitable(rule: "ak-algorithm", description: "the attestation key's name is a SHA-1 digest")
        }
        guard area.symmetric == .null, let (_, hash) = area.signingScheme, hash != .insecureSHA1 else {
            throw Unsuitable(
                rule: "ak-algorithm",
                description: "the attestation key has no fixed signing scheme with SHA-256, SHA-384 or SHA-512")
        }
        do {
            key = try area.publicKey()
        } catch {
            throw Unsuitable(rule: "ak-algorithm", description: "the attestation key cannot be used: \(error)")
        }
        try Self.checkKind(area, key)
        publicArea = area
        name = area.name
        self.hash = hash
        let parent = endorsementKey.qualified(under: .endorsement)
        qualifiedNames = [name.qualified(under: .endorsement).bytes, name.qualified(under: parent.bytes).bytes]
    }

    /// A scheme of the key's own kind; RSA with 2048 bits or more and the exponent 65537, the one that TPMs must support
    /// (Part 2 §12.2.3.5: 0 stands for it).
    private static func checkKind(_ area: TPM.Public, _ key: PublicKey) throws(Unsuitable) {
        let isECDSA = area.signingScheme?.algorithm == .ecdsa
        switch area.key {
        case .rsa(_, let exponent, _):
            guard !isECDSA else {
                throw Unsuitable(rule: "ak-algorithm", description: "the attestation key is RSA, its scheme is ECDSA")
            }
            guard exponent == 0 || exponent == 65537 else {
                throw Unsuitable(
                    rule: "ak-algorithm", description: "the attestation key's exponent is \(exponent), not 65537")
            }
        case .ecc:
            guard isECDSA else {
                throw Unsuitable(
                    rule: "ak-algorithm", description: "the attestation key is on a curve, its scheme is RSA's")
            }
        }
        if case .rsa(let bits) = key.kind, bits < 2048 {
            throw Unsuitable(
                rule: "ak-algorithm", description: "the attestation key has \(bits) bits; 2048 are the least")
        }
    }

    /// Whether `signature` over `attest` is this key's, by the key's own scheme and hash.
    func signed(_ attest: [UInt8], _ signature: TPM.Signature) -> Bool {
        publicArea.isValid(signature, over: attest, key: key)
    }
}
