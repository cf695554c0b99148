import CarnetEvidence
import Fixtures
import Cryptography
import CarnetTesting
import TPM2
import Testing

@Suite("What an attestation key must be (rule 7; security checks 5, 9, 10)")
struct AttestationKeyTests {
    let key: PrivateKey
    let endorsementKey: TPM.Name

    init() throws {
        key = try .generate()
        endorsementKey = try ForgedMachine().endorsementArea.name
    }

    private func rule(_ area: TPM.Public) -> String? {
        do throws(AttestationKey.Unsuitable) {
            _ = try AttestationKey(checking: area, endorsementKey: endorsementKey)
            return nil
        } catch {
            #expect(!error.description.isEmpty)
            return error.rule
        }
    }

    private func area(
        _ attributes: TPM.ObjectAttributes = ForgedMachine.attestationAttributes, name: HashAlgorithm = .sha256,
        scheme: TPM.KeyScheme = .ecdsa(.sha256)
    ) throws -> TPM.Public {
        try ForgedMachine.area(key, name: name, attributes: attributes, scheme: scheme)
    }

    @Test("The name is computed, and the usual options are allowed")
    func good() throws {
        let area = try area()
        let made = try AttestationKey(checking: area, endorsementKey: endorsementKey)
        #expect(made.name.bytes == [0, 0x0B] + HashAlgorithm.sha256.hash(area.bytes))
        #expect(made.key == key.publicKey && made.hash == .sha256)
        #expect(try rule(self.area(ForgedMachine.attestationAttributes.union([.noDA, .adminWithPolicy]))) == nil)
        for hash in [HashAlgorithm.sha384, .sha512] { #expect(try rule(self.area(name: hash)) == nil) }
    }

    @Test(
        "Each required attribute is required",
        arguments: [TPM.ObjectAttributes.fixedTPM, .fixedParent, .sensitiveDataOrigin, .restricted, .sign])
    func required(attribute: TPM.ObjectAttributes) throws {
        let attributes = ForgedMachine.attestationAttributes.subtracting(attribute)
        #expect(try rule(area(attributes)) == "ak-attributes")
    }

    @Test(
        "A key that decrypts, can be duplicated, or has a reserved attribute is none",
        arguments: [
            TPM.ObjectAttributes.decrypt, .encryptedDuplication, .init(rawValue: 1), .init(rawValue: 8),
            .init(rawValue: 0x80000), .init(rawValue: 0x8000_0000),
        ])
    func forbidden(attribute: TPM.ObjectAttributes) throws {
        #expect(try rule(area(ForgedMachine.attestationAttributes.union(attribute))) == "ak-attributes")
    }

    @Test("SHA-1 is neither the name's hash nor the signature's; a scheme is fixed, and it is one of this key's kind")
    func algorithms() throws {
        #expect(try rule(area(name: .insecureSHA1)) == "ak-algorithm")
        #expect(try rule(area(scheme: .ecdsa(.sha1))) == "ak-algorithm")
        #expect(try rule(area(scheme: .ecdsa(.sm3))) == "ak-algorithm")
        #expect(try rule(area(scheme: .null)) == "ak-algorithm")
        #expect(try rule(area(scheme: .ecdh(.sha256))) == "ak-algorithm")
        #expect(try rule(area(scheme: .rsassa(.sha256))) == "ak-algorithm")
    }

    @Test("A point that is not on its curve is no key")
    func point() throws {
        let point = try key.publicKey.coordinates
        for (x, y) in [(point.x, point.x), (point.x.flipping(bit: 3), point.y), ([], []), ([0], [0])] {
            let area = TPM.Public(
                attributes: ForgedMachine.attestationAttributes, scheme: .ecdsa(.sha256),
                key: .ecc(curve: .p256, x: x, y: y))
            #expect(rule(area) == "ak-algorithm")
        }
    }

    @Test("RSA has 2048 bits or more and the usual exponent")
    func rsa() {
        func area(bits: Int, exponent: UInt32, scheme: TPM.KeyScheme = .rsassa(.sha256)) -> TPM.Public {
            var modulus = [UInt8](repeating: 0xC5, count: bits / 8)
            modulus[modulus.count - 1] |= 1
            return TPM.Public(
                attributes: ForgedMachine.attestationAttributes, scheme: scheme,
                key: .rsa(bits: UInt16(bits), exponent: exponent, modulus: modulus))
        }
        #expect(rule(area(bits: 2048, exponent: 0)) == nil)
        #expect(rule(area(bits: 3072, exponent: 65537)) == nil)
        #expect(rule(area(bits: 1024, exponent: 0)) == "ak-algorithm")
        for exponent: UInt32 in [1, 2, 3, 17, 65536] {
            #expect(rule(area(bits: 2048, exponent: exponent)) == "ak-algorithm", "exponent \(exponent)")
        }
        #expect(rule(area(bits: 2048, exponent: 0, scheme: .ecdsa(.sha256))) == "ak-algorithm")
    }
}
