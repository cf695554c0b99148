package import CarnetEvidence
package import Cryptography
package import MeasurementLogs
package import TPM2

/// A machine whose TPM's keys are in this process, so that it signs what a test needs and no TPM would sign.
package struct ForgedMachine: Sendable {
    package let attestationKey: PrivateKey
    /// The hash of the attestation key's scheme.
    package let hash: HashAlgorithm
    /// The attestation key's public area.
    package let area: TPM.Public
    /// The name of the endorsement key of the same TPM.
    package let endorsementKey: TPM.Name
    /// The key of `cnf`.
    package let confirmationKey: PrivateKey
    /// The key of `enc`.
    package let encryptionKey: PrivateKey
    /// What the PCRs hold, by bank.
    package var registers: [TPM.AlgorithmID: [Int: [UInt8]]]
    package var log: [UInt8]?

    /// The attributes that an attestation key has.
    package static let attestationAttributes: TPM.ObjectAttributes = [
        .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .restricted, .sign,
    ]

    /// A machine with fresh keys that booted as `log` says.
    package init(
        _ curve: EllipticCurve = .p256, _ hash: HashAlgorithm = .sha256, booting log: EventLogBuilder = goodBoot()
    ) throws {
        attestationKey = try .generate(curve)
        self.hash = hash
        area = try Self.area(
            attestationKey, curve, attributes: Self.attestationAttributes, scheme: .ecdsa(TPM.AlgorithmID(hash)))
        let parent = try Self.area(
            .generate(), attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .restricted, .decrypt])
        endorsementKey = parent.name
        confirmationKey = try .generate()
        encryptionKey = try .generate()
        registers = [:]
        try boot(log)
    }

    /// The attestation key as enrolment would keep it.
    package var key: AttestationKey {
        get throws(AttestationKey.Unsuitable) { try AttestationKey(checking: area, endorsementKey: endorsementKey) }
    }

    /// Boots: the PCRs hold what the log replays to.
    package mutating func boot(_ log: EventLogBuilder) throws { try boot(log.bytes) }

    /// Boots with a log that was read somewhere.
    package mutating func boot(_ log: [UInt8]) throws {
        self.log = log
        let parsed = try EventLog(parsing: log)
        registers = [:]
        for bank in parsed.banks.map(\.algorithm) {
            guard let replay = ReplayedEventLog(parsed, bank: bank) else { continue }
            registers[bank] = Dictionary(uniqueKeysWithValues: (0..<24).map { ($0, replay.value(ofPCR: $0)) })
        }
    }

    /// A challenge for this machine.
    package func challenge(
        _ pcrs: [Int] = [0, 1, 4, 7], banks: [TPM.AlgorithmID] = [.sha256],
        nonce: [UInt8] = [UInt8](repeating: 0xA5, count: 32)
    ) -> Challenge {
        Challenge(
            nonce: nonce, selection: TPM.PCRSelectionList(banks.map { TPM.PCRSelection(bank: $0, indices: pcrs) }),
            attestationKey: area.name, expiresAt: 1_000)
    }

    /// The public area of a key.
    package static func area(
        _ key: PrivateKey, _ curve: EllipticCurve = .p256, name: HashAlgorithm = .sha256,
        attributes: TPM.ObjectAttributes, scheme: TPM.KeyScheme = .null
    ) throws -> TPM.Public {
        let point = try key.publicKey.coordinates
        return TPM.Public(
            nameAlgorithm: name, attributes: attributes, scheme: scheme,
            key: .ecc(curve: curve, x: point.x, y: point.y))
    }

    /// What a good machine measures: firmware, Secure Boot with its variables, a boot loader and its command.
    package static func goodBoot(banks: [HashAlgorithm] = [.sha256], secureBoot: UInt8 = 1) -> EventLogBuilder {
        var log = EventLogBuilder(banks: banks)
        log.add(pcr: 0, .noAction, data: Array("StartupLocality\0".utf8) + [3])
        log.add(pcr: 0, .sCRTMVersion, data: [0x31, 0, 0, 0])
        log.addVariable(pcr: 7, .efiVariableDriverConfig, name: "SecureBoot", value: [secureBoot])
        log.addVariable(pcr: 7, .efiVariableDriverConfig, name: "PK", value: [1, 2, 3])
        log.addVariable(pcr: 1, .efiVariableBoot2, name: "BootOrder", value: [0, 0])
        log.add(pcr: 4, .efiAction, data: Array("Calling EFI Application from Boot Option".utf8))
        for pcr in 0..<8 { log.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
        log.addVariable(pcr: 7, .efiVariableAuthority, name: "db", value: [4, 5])
        log.addImage(pcr: 4, path: "\\EFI\\BOOT\\loader.efi", image: Array("loader".utf8))
        log.add(pcr: 8, .ipl, data: Array("grub_cmd: boot\0".utf8), measuring: Array("boot".utf8))
        return log
    }
}

extension PublicKey {
    /// The coordinates of a key on a curve.
    package var coordinates: (x: [UInt8], y: [UInt8]) {
        get throws {
            guard let point else { throw CryptographyError(.invalidKey, "the key has no point") }
            return point
        }
    }
}
