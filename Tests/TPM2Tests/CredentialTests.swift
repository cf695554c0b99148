import Cryptography
import Fixtures
import Testing

@testable import TPM2

@Suite("Credentials")
struct CredentialTests {
    /// Computed with an independent implementation and confirmed by TPM2_ActivateCredential.
    @Test("KDFa and KDFe give their vectors")
    func keyDerivation() {
        let key = Array(UInt8(0)..<32), context = [0, 0x0B] + [UInt8](repeating: 0xAA, count: 32)
        #expect(
            KeyDerivation.a(.sha256, key: key, label: "STORAGE", context, [], bits: 128).hex
                == "0415b32b6f43896a87e7b29be8f2ac14")
        #expect(
            KeyDerivation.a(.sha256, key: key, label: "INTEGRITY", [], [], bits: 256).hex
                == "bacf689f634ece301e1f1b15b072d9c87db6a69585db42b1a0cb8f73ebe2692e")
        let derived = KeyDerivation.e(
            .sha256, sharedSecret: [UInt8](repeating: 1, count: 32), label: "IDENTITY",
            [UInt8](repeating: 2, count: 32), [UInt8](repeating: 3, count: 32), bits: 256)
        #expect(derived.hex == "2073a3306eedcfb178183d8a721f949bba9c3d4501b6c2839487bbdd3b973070")
    }

    /// Opens a credential with a software key, as a TPM would with an ECC endorsement key.
    private func open(_ credential: TPM.Credential, _ key: PrivateKey, _ area: TPM.Public, _ name: TPM.Name) throws
        -> [UInt8]?
    {
        var secret = TPM.Reader(credential.encryptedSecret)
        var point = TPM.Reader(try secret.sized("secret", maximum: 200))
        try secret.end()
        let x = try point.sized("x", maximum: 66), y = try point.sized("y", maximum: 66)
        try point.end()
        let shared = try key.sharedSecret(with: PublicKey(key.curve, x: x, y: y))
        let ours = try #require(key.publicKey.point)
        let bits = UInt32(area.nameAlgorithm.byteCount * 8)
        let seed = KeyDerivation.e(area.nameAlgorithm, sharedSecret: shared, label: "IDENTITY", x, ours.x, bits: bits)
        let protection = try Protection(seed: seed, name: name, parent: area)
        var outer = TPM.Reader(credential.idObject)
        var identity = TPM.Reader(try outer.sized("idObject", maximum: 256))
        let code = try identity.sized("integrity", maximum: 64)
        let ciphertext = try identity.bytes(identity.remaining, "identity")
        guard protection.authenticationCode(ciphertext) == code else { return nil }
        guard case .aesCFB(let keyBits) = area.symmetric else { return nil }
        let symmetric = KeyDerivation.a(
            area.nameAlgorithm, key: seed, label: "STORAGE", name.bytes, [], bits: UInt32(keyBits))
        var plain = TPM.Reader(
            try AESCFB.decrypt(ciphertext, key: symmetric, iv: [UInt8](repeating: 0, count: 16)))
        return try plain.sized("secret", maximum: 64)
    }

    @Test(
        "The holder of an ECC endorsement key opens a credential for the right name only",
        arguments: [EllipticCurve.p256, .p384])
    func ecc(curve: EllipticCurve) throws {
        let key = try PrivateKey.generate(curve), point = try #require(key.publicKey.point)
        let area = TPM.Public(
            nameAlgorithm: curve == .p256 ? .sha256 : .sha384, attributes: [.restricted, .decrypt],
            symmetric: .aesCFB(bits: curve == .p256 ? 128 : 256), key: .ecc(curve: curve, x: point.x, y: point.y))
        let secret = SecureRandom.bytes(32), name = PublicTests.samples[0].name
        let credential = try TPM.Credential.make(secret, for: name, in: area)
        #expect(try open(credential, key, area, name) == secret)
        #expect(try open(credential, key, area, PublicTests.samples[1].name) == nil)
        #expect(try open(credential, PrivateKey.generate(curve), area, name) == nil)
        #expect(try TPM.Credential.make(secret, for: name, in: area) != credential, "seeds are fresh")
        #expect(try TPM.Credential(parsingToolsFile: credential.toolsFile) == credential)
    }

    @Test("Keys that are no storage keys, templates, and secrets of odd sizes are refused")
    func refusals() throws {
        let name = PublicTests.samples[0].name
        let template = TPM.EndorsementKeyTemplate.eccP256.publicArea
        #expect(throws: CryptographyError.self) { try TPM.Credential.make([1], for: name, in: PublicTests.samples[0]) }
        #expect(throws: CryptographyError(.invalidKey, "")) { try TPM.Credential.make([1], for: name, in: template) }
        let long = [UInt8](repeating: 0, count: 33)
        for secret in [[], long] {
            #expect(throws: CryptographyError(.invalidLength, "")) {
                try TPM.Credential.make(secret, for: name, in: template)
            }
        }
    }

    @Test("A credential file is read exactly")
    func toolsFile() {
        let file = TPM.Credential(idObject: [0, 1, 7], encryptedSecret: [0, 2, 8, 9]).toolsFile
        for count in 0..<file.count {
            #expect(throws: TPM.ParseError.self) { try TPM.Credential(parsingToolsFile: Array(file.prefix(count))) }
        }
        #expect(throws: TPM.ParseError.trailingBytes(1)) { try TPM.Credential(parsingToolsFile: file + [0]) }
        #expect(throws: TPM.ParseError.self) { try TPM.Credential(parsingToolsFile: [0] + file.dropFirst()) }
    }
}
