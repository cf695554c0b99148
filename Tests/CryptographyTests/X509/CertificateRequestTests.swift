import Cryptography
import Fixtures
import StrictEncoding
import Testing

@Suite("Certificate requests")
struct CertificateRequestTests {
    private static let subject: [CertificateRequest.NameAttribute] = [
        .organization("system:nodes"), .commonName("system:node:node-17"),
    ]
    private static let note = CertificateRequest.RequestedExtension(
        identifier: "1.3.6.1.5.5.7.1.35", der: DER.utf8String("note"))

    private func refusal(_ der: [UInt8]) -> CryptographyError.Code? {
        do throws(CryptographyError) {
            _ = try CertificateRequest(der: der)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("A request says what was asked for, signed by its key")
    func made() throws {
        let key = try PrivateKey.generate()
        let names = CertificateRequest.AlternativeNames(dns: ["node-17"], addresses: [[10, 0, 0, 7]])
        let request = try CertificateRequest(
            subject: Self.subject, alternativeNames: names, extensions: [Self.note], signedBy: key)
        #expect(request.subject == Self.subject.map { [$0] } && request.publicKey == key.publicKey)
        #expect(request.alternativeNames == names && request.extensions.last == Self.note)
        #expect(request.extensions.map(\.identifier) == ["2.5.29.17", "1.3.6.1.5.5.7.1.35"])
        #expect(request.otherAttributes.isEmpty && request.isSignedByItsKey)
        let plain = try CertificateRequest(subject: Self.subject, signedBy: key)
        #expect(plain.extensions.isEmpty && plain.alternativeNames == nil && plain.isSignedByItsKey)
    }

    @Test("OpenSSL's program reads our requests, and we read its")
    func witness() throws {
        guard let openssl = try Witness.find("openssl") else { return }
        let folder = try TemporaryDirectory(), key = try PrivateKey.generate()
        let ours = try CertificateRequest(
            subject: Self.subject,
            alternativeNames: .init(
                dns: ["node-17"], addresses: [[10, 0, 0, 7], [UInt8](repeating: 0xFD, count: 16)]),
            extensions: [Self.note], signedBy: key)
        let path = try folder.write(
            Array(PEM.Block(label: "CERTIFICATE REQUEST", content: ours.der).text.utf8), "a.csr")
        let told = try openssl.run([
            "req", "-in", path, "-verify", "-noout", "-text", "-nameopt", "RFC2253", "-subject",
        ])
        #expect(told.status == 0 && (told.text + told.errors).contains("verify OK"), "\(told.errors)")
        #expect(told.text.contains("subject=CN=system:node:node-17,O=system:nodes"))
        #expect(told.text.contains("DNS:node-17, IP Address:10.0.0.7, IP Address:FDFD:"))
        #expect(told.text.contains("1.3.6.1.5.5.7.1.35"))

        for (option, kind): ([String], PublicKey.Kind) in [
            (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], .ellipticCurve(.p256)),
            (["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], .ellipticCurve(.p384)), (["rsa:2048"], .rsa(bits: 2048)),
        ] {
            let made = try openssl.run(
                ["req", "-new", "-nodes", "-newkey"] + option + [
                    "-keyout", folder.path + "/k", "-outform", "DER", "-out", folder.path + "/theirs", "-subj",
                    "/O=system:nodes/CN=system:node:b", "-addext",
                    "subjectAltName=DNS:b.example,IP:10.0.0.8,email:a@b.example,URI:urn:x", "-addext",
                    "keyUsage=critical,digitalSignature",
                ])
            #expect(made.status == 0, "\(made.errors)")
            let request = try CertificateRequest(der: folder.read("theirs"))
            #expect(request.publicKey.kind == kind && request.isSignedByItsKey)
            #expect(request.subject == [[.organization("system:nodes")], [.commonName("system:node:b")]])
            #expect(
                request.alternativeNames
                    == .init(dns: ["b.example"], addresses: [[10, 0, 0, 8]], otherCount: 2))
            #expect(request.extensions.first { $0.identifier == "2.5.29.15" }?.isCritical == true)
            #expect(request.extensions.first { $0.identifier == "2.5.29.17" }?.isCritical == false)
        }
    }

    @Test("No bit of a request can be turned, none of its bytes left out, and none added")
    func spoiled() throws {
        let der = try CertificateRequest(
            subject: Self.subject, alternativeNames: .init(dns: ["node-17"]), extensions: [Self.note],
            signedBy: .generate()
        ).der
        for bit in 0..<(der.count * 8) {
            let read = try? CertificateRequest(der: der.flipping(bit: bit))
            #expect(read?.isSignedByItsKey != true, "bit \(bit)")
        }
        for count in der.indices {
            #expect(refusal(Array(der[..<count])) != nil)
            #expect(refusal(Array(der[..<count] + der[(count + 1)...])) != nil)
        }
        #expect(refusal(der + [0]) == .invalidRequest && refusal([0] + der) == .invalidRequest)
        #expect(refusal([]) == .invalidRequest)
        #expect(refusal([UInt8](repeating: 0x30, count: 16_385)) == .invalidRequest)
        #expect(refusal([UInt8](repeating: 0x30, count: 16_000)) == .invalidRequest)
    }

    @Test("A request signed by another key is not signed by its own")
    func otherSigner() throws {
        let key = try PrivateKey.generate(), other = try PrivateKey.generate()
        var request = HandMadeRequest([HandMadeDER.nameAttribute("2.5.4.3", "a")])
        #expect(try CertificateRequest(der: request.der(signedBy: key)).isSignedByItsKey)
        request.keyInformation = try other.publicKey.subjectPublicKeyInfo
        #expect(try !CertificateRequest(der: request.der(signedBy: key)).isSignedByItsKey)
        request.keyInformation = nil
        for algorithm in ["1.2.840.10045.4.1", "1.2.840.10045.4.3.3", "1.2.840.113549.1.1.11"] {
            request.algorithm = HandMadeDER.element(0x30, HandMadeDER.objectIdentifier(algorithm))
            #expect(try !CertificateRequest(der: request.der(signedBy: key)).isSignedByItsKey, "\(algorithm)")
        }
        request.algorithm = HandMadeDER.element(0x30, HandMadeDER.objectIdentifier("1.2.840.10045.4.3.2"), [5, 0])
        #expect(try !CertificateRequest(der: request.der(signedBy: key)).isSignedByItsKey, "parameters are absent")
    }

    @Test("Names are text of two types, and sets of several attributes are seen")
    func names() throws {
        let key = try PrivateKey.generate()
        func read(_ attribute: [UInt8]) throws -> [[CertificateRequest.NameAttribute]]? {
            try? CertificateRequest(der: HandMadeRequest([attribute]).der(signedBy: key)).subject
        }
        #expect(try read(HandMadeDER.nameAttribute("2.5.4.3", "ä")) == [[.commonName("ä")]])
        #expect(try read(HandMadeDER.nameAttribute("2.5.4.3", "a", tag: 0x13)) == [[.commonName("a")]])
        // IA5String, T61String, BMPString, NumericString, VisibleString, UniversalString, OCTET STRING.
        for tag: UInt8 in [0x16, 0x14, 0x1E, 0x12, 0x1A, 0x1C, 0x04] {
            #expect(try read(HandMadeDER.nameAttribute("2.5.4.3", "1234", tag: tag)) == nil, "\(tag)")
        }
        for value in ["", "a\0b", "a\nb", "\u{7F}", "\u{85}", String(repeating: "a", count: 1025)] {
            #expect(try read(HandMadeDER.nameAttribute("2.5.4.3", value)) == nil, "\(value)")
        }
        #expect(try read(HandMadeDER.nameAttribute("2.5.4.3", "a*b", tag: 0x13)) == nil, "* is not printable")
        let cut = HandMadeDER.element(
            0x30, HandMadeDER.objectIdentifier("2.5.4.3"), HandMadeDER.element(0x0C, [0xC3]))
        #expect(try read(cut) == nil, "half a character")
        var several = HandMadeRequest()
        several.subject = [
            [HandMadeDER.nameAttribute("2.5.4.3", "a"), HandMadeDER.nameAttribute("2.5.4.10", "b")],
            [HandMadeDER.nameAttribute("2.5.4.10", "c")],
        ]
        #expect(
            try CertificateRequest(der: several.der(signedBy: key)).subject == [
                [.commonName("a"), .organization("b")], [.organization("c")],
            ])
        several.subject[0].reverse()
        #expect(try refusal(several.der(signedBy: key)) == .invalidRequest, "a set out of order is not DER")
        #expect(try CertificateRequest(der: HandMadeRequest().der(signedBy: key)).subject.isEmpty)
    }

    @Test("Extensions come in one set, each once; other attributes are listed")
    func extensions() throws {
        let key = try PrivateKey.generate()
        let one = HandMadeDER.certificateExtension("1.2.3.4", [5, 0])
        var request = HandMadeRequest()
        request.extensions = [one]
        request.attributes = [
            HandMadeDER.element(
                0x30, HandMadeDER.objectIdentifier("1.2.840.113549.1.9.7"),
                HandMadeDER.element(0x31, HandMadeDER.element(0x0C, [0x61])))
        ]
        let read = try CertificateRequest(der: request.der(signedBy: key))
        #expect(read.otherAttributes == ["1.2.840.113549.1.9.7"] && read.extensions.map(\.identifier) == ["1.2.3.4"])
        func refused(_ change: (inout HandMadeRequest) -> Void) throws -> Bool {
            var request = HandMadeRequest()
            request.extensions = [one]
            change(&request)
            return try refusal(request.der(signedBy: key)) == .invalidRequest
        }
        #expect(try !refused { _ in })
        #expect(try refused { $0.extensions = [one, one] })
        #expect(try refused { $0.attributes = [HandMadeRequest.extensionRequest([one])] })
        #expect(try refused { $0.version = [2, 1, 1] } && refused { $0.version = [2, 2, 0, 0] })
        #expect(
            try refused { $0.extensions = [HandMadeDER.certificateExtension("1.2.3.4", [5, 0], critical: [1, 1, 0])] })
        #expect(
            try refused { $0.extensions = [HandMadeDER.certificateExtension("1.2.3.4", [5, 0], critical: [1, 1, 1])] })
        #expect(
            try !refused {
                $0.extensions = [HandMadeDER.certificateExtension("1.2.3.4", [5, 0], critical: [1, 1, 255])]
            })
        #expect(try refused { $0.extensions = [HandMadeDER.certificateExtension("1.2.3.4", [5, 0, 0])] })
        #expect(try refused { $0.extensions = [HandMadeDER.certificateExtension("1.2.3.4", [])] })
        let empty = HandMadeDER.element(0x30, HandMadeDER.objectIdentifier("1.2.840.113549.1.9.14"), [0x31, 0])
        #expect(
            try refused {
                $0.extensions = []; $0.attributes = [empty]
            })
    }

    @Test("Alternative names are told apart, and none that cannot be read is passed over")
    func alternativeNames() throws {
        let key = try PrivateKey.generate()
        func read(_ names: [UInt8]...) throws -> CertificateRequest.AlternativeNames? {
            var request = HandMadeRequest()
            request.extensions = [
                HandMadeDER.certificateExtension("2.5.29.17", HandMadeDER.element(0x30, Array(names.joined())))
            ]
            return try? CertificateRequest(der: request.der(signedBy: key)).alternativeNames
        }
        func dns(_ text: String) -> [UInt8] { HandMadeDER.element(0x82, Array(text.utf8)) }
        func address(_ count: Int) -> [UInt8] { HandMadeDER.element(0x87, [UInt8](repeating: 1, count: count)) }
        #expect(try read(dns("a"), address(4)) == .init(dns: ["a"], addresses: [[1, 1, 1, 1]]))
        #expect(try read(address(16), dns("b"), dns("a"))?.dns == ["b", "a"])
        #expect(try read(HandMadeDER.element(0x81, [0x61]), HandMadeDER.element(0x88, [0x2A]))?.otherCount == 2)
        for spoiled in [
            [dns("")], [dns("a b")], [dns("a\0")], [dns("ä")], [dns(String(repeating: "a", count: 254))],
            [address(0)], [address(3)], [address(5)], [address(8)], [address(32)], [],
            [[UInt8]](repeating: dns("a"), count: 65),
        ] {
            #expect(try read(Array(spoiled.joined())) == nil)
        }
    }

    @Test("A key is written in one way: named curve, uncompressed point")
    func keys() throws {
        let key = try PrivateKey.generate(), point = try #require(key.publicKey.point)
        var request = HandMadeRequest()
        func information(_ point: [UInt8]) -> [UInt8] {
            let algorithm = HandMadeDER.element(
                0x30, HandMadeDER.objectIdentifier("1.2.840.10045.2.1"),
                HandMadeDER.objectIdentifier("1.2.840.10045.3.1.7"))
            return HandMadeDER.element(0x30, algorithm, HandMadeDER.element(0x03, [0], point))
        }
        request.keyInformation = information([4] + point.x + point.y)
        #expect(try refusal(request.der(signedBy: key)) == nil)
        request.keyInformation = information([2 + (point.y.last ?? 0) % 2] + point.x)
        #expect(try refusal(request.der(signedBy: key)) == .invalidKey, "compressed")
        request.keyInformation = information([6 + (point.y.last ?? 0) % 2] + point.x + point.y)
        #expect(try refusal(request.der(signedBy: key)) == .invalidKey, "hybrid")
        request.keyInformation = information([4] + point.x + point.x)
        #expect(try refusal(request.der(signedBy: key)) == .invalidKey, "off the curve")
    }

    @Test("Lengths and values have the one spelling of DER")
    func distinguished() throws {
        let key = try PrivateKey.generate()
        let good = try HandMadeRequest([HandMadeDER.nameAttribute("2.5.4.3", "a")]).der(signedBy: key)
        #expect(good[0] == 0x30 && good[1] == 0x81 && refusal(good) == nil)
        #expect(refusal([0x30, 0x82, 0] + good[2...]) == .invalidRequest, "a longer length than needed")
        #expect(refusal([0x30, 0x80] + good[3...] + [0, 0]) == .invalidRequest, "indefinite length")
        #expect(refusal([0x3F, 0x10] + good[1...]) == .invalidRequest, "a long tag")
        var long = HandMadeRequest()
        long.subject = [[HandMadeDER.element(0x30, HandMadeDER.objectIdentifier("2.5.4.3"), [0x0C, 0x81, 1, 0x61])]]
        #expect(try refusal(long.der(signedBy: key)) == .invalidRequest)
        long.subject = [[HandMadeDER.element(0x30, [6, 4, 0x55, 4, 0x80, 3], [0x0C, 1, 0x61])]]
        #expect(try refusal(long.der(signedBy: key)) == .invalidRequest, "an arc with a leading zero")
        long.subject = [[HandMadeDER.element(0x30, HandMadeDER.objectIdentifier("2.5.4.3"), [0x2C, 3, 0x0C, 1, 0x61])]]
        #expect(try refusal(long.der(signedBy: key)) == .invalidRequest, "a string in pieces")
    }
}
