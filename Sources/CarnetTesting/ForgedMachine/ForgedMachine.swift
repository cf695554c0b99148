public import CarnetEvidence
public import Cryptography
public import MeasurementLogs
public import TPM2

/// A machine whose TPM's keys are in this process, so that it signs what a test needs and no TPM would sign.
public struct ForgedMachine: Sendable {
    public let attestationKey: PrivateKey
    /// The hash of the attestation key's scheme.
    public let hash: HashAlgorithm
    /// The attestation key's public area.
    public let area: TPM.Public
    /// The endorsement key of the same TPM, and its public area by the TCG's template L-2.
    public let endorsementKey: PrivateKey
    public let endorsementArea: TPM.Public
    /// The key of `cnf`.
    public let confirmationKey: PrivateKey
    /// The key of `enc`.
    public let encryptionKey: PrivateKey
    /// What the PCRs hold, by bank.
    public var registers: [TPM.AlgorithmID: [Int: [UInt8]]]
    public var log: [UInt8]?
    /// What the kernel measured since the boot; `nil` where it measures nothing.
    public internal(set) var imaList: IMAListBuilder?
    /// What systemd measured since the boot; `nil` where it measures nothing.
    public internal(set) var runtimeLog: RuntimeLogBuilder?
    /// How often its TPM was reset.
    public var resetCount: UInt32 = 7
    /// Milliseconds that its TPM was powered.
    public var clock: UInt64 = 1500

    /// The attributes that an attestation key has.
    public static let attestationAttributes: TPM.ObjectAttributes = [
        .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .restricted, .sign,
    ]

    /// A machine with fresh keys that booted as `log` says.
    public init(
        _ curve: EllipticCurve = .p256, _ hash: HashAlgorithm = .sha256, booting log: EventLogBuilder = GoodBoot.log(),
        attributes: TPM.ObjectAttributes = attestationAttributes
    ) throws {
        attestationKey = try .generate(curve)
        self.hash = hash
        area = try Self.area(
            attestationKey, curve, attributes: attributes, scheme: .ecdsa(TPM.AlgorithmID(hash)))
        endorsementKey = try .generate()
        endorsementArea = try Self.endorsementArea(endorsementKey)
        confirmationKey = try .generate()
        encryptionKey = try .generate()
        registers = [:]
        try boot(log)
    }

    /// The attestation key as enrolment would keep it.
    public var key: AttestationKey {
        get throws(AttestationKey.Unsuitable) {
            try AttestationKey(checking: area, endorsementKey: endorsementArea.name)
        }
    }

    /// Boots: the PCRs hold what the log replays to, and nothing was measured since.
    public mutating func boot(_ log: EventLogBuilder) throws { try boot(log.bytes) }

    /// Boots with a log that was read somewhere.
    public mutating func boot(_ log: [UInt8]) throws {
        self.log = log
        imaList = nil
        runtimeLog = nil
        let parsed = try EventLog(parsing: log)
        registers = [:]
        for bank in parsed.banks.map(\.algorithm) {
            guard let replay = ReplayedEventLog(parsed, bank: bank) else { continue }
            registers[bank] = Dictionary(uniqueKeysWithValues: (0..<24).map { ($0, replay.value(ofPCR: $0)) })
        }
    }

    /// A challenge for this machine.
    public func challenge(
        _ pcrs: [Int] = [0, 1, 4, 7], banks: [TPM.AlgorithmID] = [.sha256],
        nonce: [UInt8] = [UInt8](repeating: 0xA5, count: 32)
    ) -> Challenge {
        Challenge(
            nonce: nonce, selection: TPM.PCRSelectionList(banks.map { TPM.PCRSelection(bank: $0, indices: pcrs) }),
            attestationKey: area.name, expiresAt: 1_000)
    }

    /// The public area of an endorsement key: template L-2 (TCG EK Credential Profile, annex B.3.4).
    private static func endorsementArea(_ key: PrivateKey) throws -> TPM.Public {
        let point = try key.publicKey.coordinates
        return TPM.Public(
            attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .adminWithPolicy, .restricted, .decrypt],
            authPolicy: TPM.EndorsementKeyTemplate.policyA(.sha256).bytes, symmetric: .aesCFB(bits: 128),
            scheme: .null, key: .ecc(curve: .p256, x: point.x, y: point.y))
    }

    /// The public area of a key.
    public static func area(
        _ key: PrivateKey, _ curve: EllipticCurve = .p256, name: HashAlgorithm = .sha256,
        attributes: TPM.ObjectAttributes, scheme: TPM.KeyScheme = .null
    ) throws -> TPM.Public {
        let point = try key.publicKey.coordinates
        return TPM.Public(
            nameAlgorithm: name, attributes: attributes, scheme: scheme,
            key: .ecc(curve: curve, x: point.x, y: point.y))
    }
}

extension PublicKey {
    /// The coordinates of a key on a curve.
    public var coordinates: (x: [UInt8], y: [UInt8]) {
        get throws {
            guard let point else { throw CryptographyError(.invalidKey, "the key has no point") }
            return point
        }
    }
}
