package import CarnetEvidence
package import Cryptography
package import MeasurementLogs
import Synchronization
package import TPM2

/// A TPM as the verifier sees it, with keys in this process: it makes what a real one makes, and whatever a test needs that a
/// real one would never make. Tests against real TPM commands are elsewhere.
package final class SimulatedTPM: Sendable {
    /// The endorsement key.
    package let endorsementKey: PrivateKey
    /// Its public area, from the TCG's template L-2.
    package let endorsementArea: TPM.Public
    /// The attestation key.
    package let attestationKey: PrivateKey
    /// Its public area.
    package let attestationArea: TPM.Public
    /// The key that passports are bound to.
    package let passportKey: PrivateKey
    private let boot = Mutex(Boot(log: SimulatedTPM.goodLog))

    private struct Boot {
        var log: EventLogBuilder
        var resetCount: UInt32 = 1
        var clock: UInt64 = 1000
    }

    /// A TPM with fresh keys, booted once with ``goodLog``.
    ///
    /// - Parameter attributes: Those of the attestation key.
    package init(
        attributes: TPM.ObjectAttributes = [
            .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .restricted, .sign,
        ]
    ) throws {
        endorsementKey = try .generate(.p256)
        endorsementArea = try Self.area(
            endorsementKey,
            attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .adminWithPolicy, .restricted, .decrypt],
            authPolicy: TPM.EndorsementKeyTemplate.policyA(.sha256).bytes, symmetric: .aesCFB(bits: 128))
        attestationKey = try .generate(.p256)
        attestationArea = try Self.area(attestationKey, attributes: attributes, scheme: .ecdsa(.sha256))
        passportKey = try .generate(.p256)
    }

    /// What a good machine measures.
    package static let goodLog: EventLogBuilder = {
        var log = EventLogBuilder()
        log.add(pcr: 0, .sCRTMVersion, data: Array("1\u{0}.\u{0}0\u{0}".utf8))
        log.add(pcr: 4, .efiAction, data: Array("Calling EFI Application from Boot Option".utf8))
        for pcr in 0..<8 { log.add(pcr: pcr, .separator, data: [0, 0, 0, 0]) }
        return log
    }()

    /// What a machine measures whose boot loader was exchanged.
    package static let badLog: EventLogBuilder = {
        var log = goodLog
        log.addImage(pcr: 4, path: "\\EFI\\BOOT\\implant.efi", image: Array("implant".utf8))
        return log
    }()

    /// A policy that allows the PCRs of ``goodLog`` and nothing else.
    package static func policy(id: String = "test", pcrs: [Int] = Array(0..<8)) throws -> String {
        let values = try registers(goodLog)
        let lines = pcrs.map { pcr in
            "    \(pcr): " + (values[pcr] ?? []).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return "version: 1\nid: \(id)\nevent_log: required\nbanks:\n  sha256:\n" + lines.joined(separator: "\n") + "\n"
    }

    /// Boots anew, measuring what `log` says.
    package func reboot(_ log: EventLogBuilder = goodLog) {
        boot.withLock { boot in
            boot.log = log
            boot.resetCount += 1
            boot.clock += 1000
        }
    }

    /// Sets the counters back to those of its first boot.
    package func forgetBoots() { boot.withLock { $0 = Boot(log: $0.log) } }

    /// Evidence that answers a challenge.
    ///
    /// - Parameter spoil: Changes what is signed or sent.
    package func evidence(
        nonce: [UInt8], _ selection: TPM.PCRSelectionList, _ spoil: (inout Parts) -> Void = { _ in }
    ) throws -> Evidence {
        let state = boot.withLock { boot in
            boot.clock += 1
            return boot
        }
        var parts = Parts(
            nonce: nonce, selection: selection, registers: try Self.registers(state.log), log: state.log.bytes,
            resetCount: state.resetCount, clock: state.clock, name: attestationArea.name)
        spoil(&parts)
        return try sign(parts)
    }

    /// What evidence is made of, before it is signed.
    package struct Parts: Sendable {
        /// The nonce that the quote answers.
        package var nonce: [UInt8]
        /// The PCRs that are quoted.
        package var selection: TPM.PCRSelectionList
        /// The values of the SHA-256 bank.
        package var registers: [Int: [UInt8]]
        /// The firmware's log.
        package var log: [UInt8]?
        /// How often the TPM was reset.
        package var resetCount: UInt32
        /// Milliseconds of power.
        package var clock: UInt64
        /// The Name that the evidence states.
        package var name: TPM.Name
    }

    private func sign(_ parts: Parts) throws -> Evidence {
        let point = try passportKey.publicKey.coordinates
        let bound = BoundKeys.encode(confirmation: point, encryption: nil)
        var pcrs: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
        var concatenated: [UInt8] = []
        for selection in parts.selection.selections {
            let indices = selection.indices
            pcrs[selection.bank] = parts.registers.filter { indices.contains($0.key) }
            for index in indices { concatenated += parts.registers[index] ?? [] }
        }
        let quote = attest(
            0x8018, QualifyingData.ofQuote(nonce: parts.nonce, bound: bound), parts,
            parts.selection.bytes + Self.sized(HashAlgorithm.sha256.hash(concatenated)))
        let passportArea = try Self.area(
            passportKey, attributes: [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .sign],
            scheme: .ecdsa(.sha256))
        let name = passportArea.name
        let certification = attest(
            0x8017, QualifyingData.ofCertification(nonce: parts.nonce, bound: bound), parts,
            Self.sized(name.bytes) + Self.sized(name.qualified(under: .endorsement).bytes))
        return Evidence(
            attestationKey: parts.name, quote: try signed(quote), pcrs: pcrs, eventLog: parts.log, bound: bound,
            keyAttestation: .init(publicArea: passportArea.bytes, certification: try signed(certification)),
            encryptionKeyAttestation: nil)
    }

    /// TPMS_ATTEST.
    private func attest(_ type: UInt16, _ extraData: [UInt8], _ parts: Parts, _ attested: [UInt8]) -> [UInt8] {
        [0xFF, 0x54, 0x43, 0x47] + Self.bytes(type)
            + Self.sized(attestationArea.name.qualified(under: .endorsement).bytes) + Self.sized(extraData)
            + Self.bytes(parts.clock) + Self.bytes(parts.resetCount) + Self.bytes(UInt32(0)) + [1]
            + Self.bytes(UInt64(0x2022_0101)) + attested
    }

    private func signed(_ attest: [UInt8]) throws -> Evidence.Signed {
        let signature = try attestationKey.ecdsaSignature(over: attest, .sha256)
        let structure = TPM.Signature.ecdsa(
            hash: .sha256, r: Array(signature.prefix(32)), s: Array(signature.suffix(32)))
        return Evidence.Signed(attest: attest, signature: structure.bytes)
    }

    private static func registers(_ log: EventLogBuilder) throws -> [Int: [UInt8]] {
        let replay = ReplayedEventLog(try EventLog(parsing: log.bytes), bank: .sha256)
        return Dictionary(
            uniqueKeysWithValues: (0..<24).compactMap { pcr in replay.map { (pcr, $0.value(ofPCR: pcr)) } })
    }

    private static func area(
        _ key: PrivateKey, attributes: TPM.ObjectAttributes, authPolicy: [UInt8] = [],
        symmetric: TPM.SymmetricDefinition = .null, scheme: TPM.KeyScheme = .null
    ) throws -> TPM.Public {
        let point = try key.publicKey.coordinates
        return TPM.Public(
            attributes: attributes, authPolicy: authPolicy, symmetric: symmetric, scheme: scheme,
            key: .ecc(curve: .p256, x: point.x, y: point.y))
    }

    static func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    static func sized(_ content: [UInt8]) -> [UInt8] { bytes(UInt16(content.count)) + content }
}

extension PublicKey {
    /// The coordinates of a key that is on a curve.
    package var coordinates: (x: [UInt8], y: [UInt8]) {
        get throws {
            guard let point else { throw CryptographyError(.invalidKey, "the key has no point") }
            return point
        }
    }
}
