import Cryptography
import Fixtures
import TPM2
import Testing

@Suite("TPMT_SIGNATURE")
struct SignatureTests {
    static let samples: [TPM.Signature] = [
        .ecdsa(hash: .sha256, r: [UInt8](repeating: 1, count: 32), s: [UInt8](repeating: 2, count: 31)),
        .rsassa(hash: .sha256, signature: [UInt8](repeating: 3, count: 256)),
        .rsapss(hash: .sha384, signature: [UInt8](repeating: 4, count: 256)),
    ]

    @Test("What is written is read back, and nothing shorter or longer", arguments: samples)
    func roundTrip(sample: TPM.Signature) throws {
        #expect(try TPM.Signature(parsing: sample.bytes) == sample)
        for count in 0..<sample.bytes.count {
            #expect(throws: TPM.ParseError.self) { try TPM.Signature(parsing: Array(sample.bytes.prefix(count))) }
        }
        #expect(throws: TPM.ParseError.trailingBytes(1)) { try TPM.Signature(parsing: sample.bytes + [0]) }
    }

    @Test(
        "Schemes of other keys are unsupported, not a crash",
        arguments: [0x0005, 0x0010, 0x001A, 0x001B, 0x0000, 0xFFFF] as [UInt16])
    func unsupported(scheme: UInt16) {
        let bytes = [UInt8(scheme >> 8), UInt8(scheme & 0xFF), 0, 0x0B, 0, 0, 0, 0]
        #expect(throws: TPM.ParseError.unsupported(field: "sigAlg", value: UInt32(scheme))) {
            try TPM.Signature(parsing: bytes)
        }
    }

    @Test("The key's own scheme and hash decide, whatever the signature says")
    func schemes() throws {
        let key = try PrivateKey.generate(), message = Array("attested".utf8)
        let point = try #require(key.publicKey.point)
        func area(_ scheme: TPM.KeyScheme) -> TPM.Public {
            TPM.Public(attributes: [.sign], scheme: scheme, key: .ecc(curve: .p256, x: point.x, y: point.y))
        }
        func signature(_ hash: HashAlgorithm, claiming claimed: TPM.AlgorithmID) throws -> TPM.Signature {
            let raw = try key.ecdsaSignature(over: message, hash)
            return .ecdsa(hash: claimed, r: Array(raw.prefix(32)), s: Array(raw.suffix(32)))
        }
        let good = try signature(.sha256, claiming: .sha256)
        #expect(area(.ecdsa(.sha256)).isValid(good, over: message))
        #expect(!area(.ecdsa(.sha256)).isValid(good, over: message + [0]))
        #expect(!area(.ecdsa(.sha256)).isValid(try signature(.sha384, claiming: .sha384), over: message))
        #expect(!area(.ecdsa(.sha256)).isValid(try signature(.sha256, claiming: .sha384), over: message))
        #expect(!area(.ecdsa(.sha384)).isValid(good, over: message))
        #expect(!area(.ecdsa(.sha1)).isValid(try signature(.insecureSHA1, claiming: .sha1), over: message))
        #expect(!area(.null).isValid(good, over: message))
        #expect(!area(.ecdh(.sha256)).isValid(good, over: message))
        #expect(!area(.ecdsa(.sha256)).isValid(.rsassa(hash: .sha256, signature: good.bytes), over: message))
    }

    static let vectors = [
        ("vectors/ak.pub", "vectors/q.msg", "vectors/q.sig"), ("vectors/akr.pub", "vectors/qr.msg", "vectors/qr.sig"),
        ("vectors/ak.pub", "vectors/c.msg", "vectors/c.sig"),
        (
            "fixtures/measured-boot/uki/ak.tpmt", "fixtures/measured-boot/uki/quote.msg",
            "fixtures/measured-boot/uki/quote.sig"
        ),
        (
            "fixtures/measured-boot/uki/ak_ecc.pub", "fixtures/measured-boot/uki/quote_ecc.msg",
            "fixtures/measured-boot/uki/quote_ecc.sig"
        ),
    ]

    @Test(
        "Quotes of a software TPM verify, and no single flipped bit does", .timeLimit(.minutes(5)),
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"), arguments: vectors)
    func everyBit(key: String, attest: String, signature: String) throws {
        let vector = try QuoteVector(key: key, attest: attest, signature: signature)
        #expect(vector.verifies())
        let parsed = try TPM.Signature(parsing: vector.signature)
        for bit in 0..<(vector.attest.count * 8) {
            #expect(!vector.key.isValid(parsed, over: vector.attest.flipping(bit: bit)))
        }
        for bit in 0..<(vector.signature.count * 8) {
            let changed = try? TPM.Signature(parsing: vector.signature.flipping(bit: bit))
            #expect(changed.map { vector.key.isValid($0, over: vector.attest) } != true, "bit \(bit)")
        }
        // A flipped bit of the public area makes another key, or another name: either way not this one.
        for bit in 0..<(vector.key.bytes.count * 8) {
            guard let changed = try? TPM.Public(parsing: vector.key.bytes.flipping(bit: bit)) else { continue }
            #expect(changed.name != vector.key.name)
        }
    }
}
