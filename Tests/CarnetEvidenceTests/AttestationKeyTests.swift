import CarnetEvidence
import CarnetTesting
import Cryptography
import TPM2
import Testing

@Suite("Attestation keys")
struct AttestationKeyTests {
    let forge: EvidenceForge
    static let good: TPM.ObjectAttributes = [
        .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .restricted, .sign,
    ]

    init() throws { forge = try EvidenceForge() }

    private func rule(_ area: TPM.Public) -> String? {
        do {
            _ = try AttestationKey(checking: area, endorsementKey: EvidenceForge.endorsementName)
            return nil
        } catch {
            return error.rule
        }
    }

    @Test(
        "Each required attribute is required",
        arguments: [TPM.ObjectAttributes.fixedTPM, .fixedParent, .sensitiveDataOrigin, .restricted, .sign])
    func missing(attribute: TPM.ObjectAttributes) {
        #expect(rule(forge.attestationArea()) == nil)
        #expect(rule(forge.attestationArea(attributes: Self.good.subtracting(attribute))) == "ak-attributes")
    }

    @Test(
        "Attributes that an attestation key must not have are refused",
        arguments: [TPM.ObjectAttributes.decrypt, .encryptedDuplication, TPM.ObjectAttributes(rawValue: 0x8000_0000)])
    func excess(attribute: TPM.ObjectAttributes) {
        #expect(rule(forge.attestationArea(attributes: Self.good.union(attribute))) == "ak-attributes")
    }

    @Test("Schemes that leave a choice, SHA-1, and keys that are no keys are refused")
    func algorithms() throws {
        #expect(rule(forge.attestationArea(scheme: .null)) == "ak-algorithm")
        #expect(rule(forge.attestationArea(scheme: .ecdh(.sha256))) == "ak-algorithm")
        #expect(rule(forge.attestationArea(scheme: .ecdsa(.sha1))) == "ak-algorithm")
        #expect(rule(forge.attestationArea(symmetric: .aesCFB(bits: 128))) == "ak-algorithm")
        #expect(rule(forge.attestationArea(nameAlgorithm: .insecureSHA1)) == "ak-algorithm")
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(
            rule(TPM.Public(attributes: Self.good, scheme: .ecdsa(.sha256), key: .ecc(curve: .p256, x: zero, y: zero)))
                == "ak-algorithm")
        let short = TPM.Public.Key.rsa(bits: 1024, exponent: 0, modulus: [UInt8](repeating: 0xC1, count: 128))
        #expect(rule(TPM.Public(attributes: Self.good, scheme: .rsassa(.sha256), key: short)) == "ak-algorithm")
    }

    @Test("An unrestricted key can sign a forged attestation, and is refused for that reason alone")
    func forgery() throws {
        let area = forge.attestationArea(attributes: Self.good.subtracting(.restricted))
        let forged: [UInt8] = [0xFF, 0x54, 0x43, 0x47, 0x80, 0x18]
        let raw = try forge.attestationKey.ecdsaSignature(over: forged, .sha256)
        let signature = TPM.Signature.ecdsa(hash: .sha256, r: Array(raw.prefix(32)), s: Array(raw.suffix(32)))
        #expect(area.isValid(signature, over: forged), "the signature itself is good")
        #expect(rule(area) == "ak-attributes")
    }
}
