import Cryptography
import Fixtures
import TPM2
import Testing

@Suite("TPMT_PUBLIC and names")
struct PublicTests {
    static func attestationKey(_ key: TPM.Public.Key) -> TPM.Public {
        let attributes: TPM.ObjectAttributes = [
            .fixedTPM, .fixedParent, .sensitiveDataOrigin, .userWithAuth, .restricted, .sign,
        ]
        let scheme: TPM.KeyScheme = if case .rsa = key { .rsassa(.sha256) } else { .ecdsa(.sha256) }
        return TPM.Public(attributes: attributes, scheme: scheme, key: key)
    }

    static let samples: [TPM.Public] = [
        attestationKey(.ecc(curve: .p256, x: [UInt8](repeating: 1, count: 32), y: [UInt8](repeating: 2, count: 32))),
        attestationKey(.rsa(bits: 2048, exponent: 0, modulus: [UInt8](repeating: 0xC1, count: 256))),
        TPM.EndorsementKeyTemplate.rsa2048.publicArea,
        TPM.EndorsementKeyTemplate.eccP256.publicArea,
        TPM.Public(
            nameAlgorithm: .sha384, attributes: [.fixedTPM, .decrypt], authPolicy: [UInt8](repeating: 9, count: 48),
            symmetric: .aesCFB(bits: 256), scheme: .ecdh(.sha384), key: .ecc(curve: .p384, x: [], y: [])),
    ]

    @Test("What is written is read back", arguments: samples)
    func roundTrip(sample: TPM.Public) throws {
        #expect(try TPM.Public(parsing: sample.bytes) == sample)
    }

    @Test("Every truncation and every appended byte is refused", arguments: samples)
    func exactness(sample: TPM.Public) {
        for count in 0..<sample.bytes.count {
            #expect(throws: TPM.ParseError.self) { try TPM.Public(parsing: Array(sample.bytes.prefix(count))) }
        }
        #expect(throws: TPM.ParseError.trailingBytes(2)) { try TPM.Public(parsing: sample.bytes + [0, 0]) }
    }

    @Test("Attribute values are those of the specification")
    func attributes() {
        #expect(Self.samples[0].attributes.rawValue == 0x0005_0072)
        #expect(TPM.EndorsementKeyTemplate.rsa2048.publicArea.attributes.rawValue == 0x0003_00B2)
        #expect(Self.samples[0].attributes.description.contains("restricted"))
    }

    @Test("Types, hashes, curves and sizes that Carnet does not read are refused")
    func unsupported() {
        func refuses(_ offset: Int, _ value: UInt8, in bytes: [UInt8]) -> Bool {
            var bytes = bytes
            bytes[offset] = value
            return (try? TPM.Public(parsing: bytes)) == nil
        }
        let ecc = Self.samples[0].bytes, rsa = Self.samples[1].bytes
        #expect(refuses(1, 0x08, in: ecc) && refuses(1, 0x25, in: ecc), "types")
        #expect(refuses(3, 0x12, in: ecc), "nameAlg SM3")
        #expect(refuses(11, 0x04, in: ecc), "symmetric SHA-1")
        #expect(refuses(17, 0x10, in: ecc), "curve BN P256")
        #expect(refuses(16, 0x04, in: rsa), "1024-and-something bits")
    }

    @Test(
        "The names that a TPM gave are the names that are computed",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
    func names() throws {
        let machines = ["direct", "grub-sb", "uki", "uki-sb", "uki-cmdline", "uki-violation", "uki-sha256"]
        for machine in machines {
            let folder = "fixtures/measured-boot/\(machine)/"
            let key = try TPM.Public(parsing: SharedFixtures.bytes(folder + "ak.tpmt"))
            #expect(try key.name.bytes == SharedFixtures.bytes(folder + "ak.name"))
            let endorsement = try TPM.Public(parsing: SharedFixtures.bytes(folder + "ek.tpmt"))
            #expect(try endorsement.name.bytes == SharedFixtures.bytes(folder + "ek.name"))
            #expect(endorsement.attributes == TPM.EndorsementKeyTemplate.rsa2048.publicArea.attributes)
            #expect(endorsement.authPolicy == TPM.EndorsementKeyTemplate.policyA(.sha256).bytes)
        }
    }

    @Test("A name has an algorithm and a digest of its length")
    func nameParsing() throws {
        let name = Self.samples[0].name
        #expect(try TPM.Name(parsing: name.bytes) == name)
        #expect(name.description.hasPrefix("000b") && name.algorithm == .sha256)
        let spoiled: [[UInt8]] = [
            [], [0], [0, 0x0B], Array(name.bytes.dropLast()), name.bytes + [0], [0, 0x12] + name.bytes.dropFirst(2),
        ]
        for bad in spoiled {
            #expect(throws: TPM.ParseError.self) { try TPM.Name(parsing: bad) }
        }
    }

    @Test("A quote's qualified signer is the qualified name of a primary key in the endorsement hierarchy")
    func qualifiedName() {
        let name = Self.samples[0].name
        let expected = [0, 0x0B] + HashAlgorithm.sha256.hash([0x40, 0, 0, 0x0B], name.bytes)
        #expect(name.qualified(under: .endorsement).bytes == expected)
        #expect(name.qualified(under: .owner).bytes != expected)
    }
}
