import Cryptography
import Fixtures
import MeasurementLogs
import Testing

@Suite("Allow lists for IMA entries")
struct IMAAllowListTests {
    /// What a list says about one entry.
    static func verdict(
        _ list: IMAAllowList, bootAggregate: IMADigest? = nil, _ add: (inout IMAListBuilder) throws -> Void
    ) throws -> IMAVerdict {
        var builder = IMAListBuilder()
        try add(&builder)
        return list.verdict(of: try IMAList(parsing: builder.bytes)[0], bootAggregate: bootAggregate)
    }

    static func placed(_ path: String, _ text: String) throws -> (path: [UInt8], digest: IMADigest) {
        (Array(path.utf8), try IMASamples.digest(text))
    }

    @Test("A digest allows a file under any name")
    func digests() throws {
        let list = try IMAAllowList(digests: [IMASamples.digest("a"), IMASamples.digest("b")])
        for path in ["/bin/a", "/tmp/b"] {
            #expect(try Self.verdict(list) { $0.addFile(path, try IMASamples.digest("a")) } == .allowedByDigest)
            #expect(try Self.verdict(list) { $0.addFile(path, try IMASamples.digest("c")) } == .unknownPath)
        }
    }

    @Test("A digest at a path allows it there only, and another digest names those expected")
    func paths() throws {
        let many = try (0..<50).map { try Self.placed("/bin/copy\($0)", "a") }
        let list = try IMAAllowList(paths: many + [Self.placed("/bin/b", "b"), Self.placed("/bin/b", "new b")])
        for index in 0..<50 {
            #expect(
                try Self.verdict(list) { $0.addFile("/bin/copy\(index)", try IMASamples.digest("a")) }
                    == .allowedByPathAndDigest)
        }
        #expect(try Self.verdict(list) { $0.addFile("/bin/copy50", try IMASamples.digest("a")) } == .unknownPath)
        #expect(
            try Self.verdict(list) { $0.addFile("/bin/b", try IMASamples.digest("new b")) } == .allowedByPathAndDigest)
        let expected = try [IMASamples.digest("b"), IMASamples.digest("new b")]
        #expect(
            try Self.verdict(list) { $0.addFile("/bin/b", try IMASamples.digest("a")) }
                == .wrongDigest(expected: expected))
    }

    @Test("A digest of one kind does not stand for another")
    func kinds() throws {
        let text = "content", plain = try IMAAllowList(digests: [IMASamples.digest(text)])
        #expect(try Self.verdict(plain) { $0.addFile("/a", try IMASamples.digest(text, .verity)) } == .unknownPath)
        #expect(try Self.verdict(plain) { $0.addBuffer("/a", Array(text.utf8)) } == .unlistedBuffer)
        let buffer = try IMAAllowList(digests: [IMASamples.digest(text, .buffer)])
        #expect(try Self.verdict(buffer) { $0.addBuffer("/a", Array(text.utf8)) } == .allowedByDigest)
        #expect(try Self.verdict(buffer) { $0.addFile("/a", try IMASamples.digest(text)) } == .unknownPath)
        let verity = try IMAAllowList(digests: [IMASamples.digest(text, .verity)])
        #expect(try Self.verdict(verity) { $0.addFile("/a", try IMASamples.digest(text, .verity)) } == .allowedByDigest)
    }

    @Test("Weak hashes are neither listed nor believed")
    func weak() throws {
        let sha1 = try #require(IMADigest(.file, .sha1, HashAlgorithm.insecureSHA1.hash([1])))
        #expect(throws: IMAAllowList.WeakDigest.self) { try IMAAllowList(digests: [sha1]) }
        #expect(throws: IMAAllowList.WeakDigest.self) { try IMAAllowList(paths: [([1], sha1)]) }
        let list = try IMAAllowList()
        #expect(try Self.verdict(list) { $0.addFile("/a", sha1) } == .weakDigest(.sha1))
        #expect(try Self.verdict(list) { $0.addLegacyFile("/a", sha1: sha1.bytes) } == .weakDigest(.sha1))
    }

    @Test("Excluded names are excused, but violations never are")
    func excluded() throws {
        let pattern = try #require(IMAPathPattern("/tmp/**")), keys = try #require(IMAPathPattern("dm_*"))
        let list = try IMAAllowList(
            digests: [IMASamples.digest("known")], excludedFiles: [pattern], excludedBuffers: [keys])
        #expect(try Self.verdict(list) { $0.addFile("/tmp/a", try IMASamples.digest("a")) } == .excluded(by: "/tmp/**"))
        #expect(try Self.verdict(list) { $0.addFile("/tmp/a", try IMASamples.digest("known")) } == .allowedByDigest)
        #expect(try Self.verdict(list) { $0.addFile("/a/tmp/a", try IMASamples.digest("a")) } == .unknownPath)
        #expect(try Self.verdict(list) { $0.addViolation("/tmp/a") } == .violation)
        #expect(try Self.verdict(list) { $0.addBuffer("dm_table_load", [1]) } == .excluded(by: "dm_*"))
        #expect(try Self.verdict(list) { $0.addBuffer("/tmp/a", [1]) } == .unlistedBuffer)
        #expect(try Self.verdict(list) { $0.addFile("dm_table_load", try IMASamples.digest("a")) } == .unknownPath)
        #expect(IMAVerdict.excluded(by: "x").isExcluded && !IMAVerdict.excluded(by: "x").isAllowed)
    }

    @Test("Entries that cannot be told are not allowed, even where their digest or name is")
    func untold() throws {
        let signature = IMAContentTests.signature
        let digest = try #require(IMADigest(.file, .sha256, HashAlgorithm.sha256.hash(signature)))
        let list = try IMAAllowList(digests: [digest], excludedFiles: [#require(IMAPathPattern("**"))])
        #expect(try Self.verdict(list) { $0.addFile("/a", digest, signature: signature) } == .ambiguous)
        let buffer = try #require(IMADigest(.buffer, .sha256, digest.bytes))
        for (digests, expected) in [([buffer], IMAVerdict.ambiguous), ([digest, buffer], .allowedByDigest)] {
            let list = try IMAAllowList(digests: digests)
            #expect(try Self.verdict(list) { $0.addFile("/a", digest, signature: signature) } == expected)
        }
        let excused = try IMAAllowList(digests: [buffer], excludedFiles: [#require(IMAPathPattern("/a"))])
        #expect(try Self.verdict(excused) { $0.addFile("/a", digest, signature: signature) } == .excluded(by: "/a"))
        #expect(
            try !Self.verdict(list) {
                $0.add(template: "x", fields: [IMAListBuilder.digestField(digest), Array("/a".utf8)])
            }.isAllowed)
    }

    @Test("The boot aggregate is accounted for by name and digest together")
    func bootAggregate() throws {
        let list = try IMAAllowList(), boot = try IMASamples.digest("boot")
        #expect(
            try Self.verdict(list, bootAggregate: boot) { $0.addFile("boot_aggregate", boot, signature: []) }
                == .bootAggregate)
        #expect(try Self.verdict(list, bootAggregate: boot) { $0.addFile("/bin/a", boot) } == .unknownPath)
        #expect(
            try Self.verdict(list, bootAggregate: boot) { $0.addFile("boot_aggregate", try IMASamples.digest("x")) }
                == .unknownPath)
        #expect(try Self.verdict(list) { $0.addFile("boot_aggregate", boot) } == .unknownPath)
    }

    /// `openssl dgst -sha256 -sign` over the byte `x`, by an RSA key of 2048 bits whose private half was thrown away.
    static let rsaKey = [UInt8](
        hex: """
            30820122300d06092a864886f70d01010105000382010f003082010a02820101009d5fdcf6b708643981d61e30b10e59
            ad412a366ed7b4f03cdddd76e7b747d99c132cf0e6291ecdb66e164768a80e1b65d0db07207b5213455c40ff1dd80e9b
            55eb69a6a5142a74c03d4407f0cf4baa064dbd8fd28622e77e967ef4756558bfe746f9233df8763101551c31dd49cf4f
            25ab61ffad30247f8a1fbccb7a6aca2ba79c15d372a3ff4479ab659c5384217d540c1916a3a19fbfd5e5758253a61313
            aaef96f878fbef162f72672a23e43388f22549f903cde4686f082ad13f4afbb1599ca4842dd7e92f126cba9cc9ec6c40
            88254dde18b394ed334dba389fe99fce8239a4933e273523a7aa4fe43d992c2458d2c68a939858e8eefd55e8cfb6d884
            2d0203010001
            """)
    static let rsaSignature = [UInt8](
        hex: """
            0a378d8a5625a0f55931dfb3accb8ac94ca5af23f87d34ae767cb6117729f0cc7ec0d597e8cb9d6cafff9415128cb290
            5d7693d00d6f923bd78538e722129944fe5fcc30b3b9441d2dedf12d00a06f4d08e2a96a095ba89d3d67b79aec6875e0
            70065ac7f3ddb92c605b13cf1d579ee6cca6ceb359fa282cf2d91602d019dc6aa80c6babe021e68d966396aab382ad36
            06221c73ef4c89d5b7fd3bb78e33f358f59f0b133892d145ac4afad8bbc215783d36c26eaa9dd9bb2d6063235778f21f
            915e00a5163c8810b2949b9d04334f329d7e31728856602f1873084f3221300944365df8beacbe1794d33d69a72ae1b2
            8e3bd3d41b8b1f117e3b15514a6ed45d
            """)

    /// The attribute `security.ima` of a signature.
    static func attribute(_ signature: [UInt8], _ keyID: UInt32, algorithm: UInt8 = 4) -> [UInt8] {
        [3, 2, algorithm] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: keyID >> $0) }
            + [UInt8(signature.count >> 8), UInt8(signature.count & 0xFF)] + signature
    }

    @Test("A file is allowed by an RSA key's signature, and by no spoiled one")
    func rsa() throws {
        let key = try IMASigningKey(PublicKey(subjectPublicKeyInfo: Self.rsaKey))
        // The end of SHA-1 over the RSAPublicKey, computed with openssl and sha1sum.
        #expect(key.keyID == 0xEA30_4748)
        let list = try IMAAllowList(paths: [Self.placed("/bin/listed", "y")], keys: [key])
        func verdict(_ attribute: [UInt8]?, _ text: String = "x", _ kind: IMADigest.Kind = .file) throws -> IMAVerdict {
            try Self.verdict(list) { $0.addFile("/bin/x", try IMASamples.digest(text, kind), signature: attribute) }
        }
        let good = Self.attribute(Self.rsaSignature, key.keyID)
        #expect(try verdict(good) == .allowedByKey(key.keyID))
        #expect(try verdict(good, "z") == .unsigned(.invalid(key.keyID)))
        #expect(try verdict(good, "x", .verity) == .unsigned(.invalid(key.keyID)))
        #expect(try verdict(nil) == .unsigned(.missing) && verdict([]) == .unsigned(.missing))
        #expect(try verdict(Self.attribute(Self.rsaSignature, 7)) == .unsigned(.unknownKey(7)))
        #expect(try verdict(Array(good.dropLast())) == .unsigned(.unreadable))
        #expect(try verdict([6] + good.dropFirst()) == .unsigned(.unreadable))
        #expect(
            try verdict(Self.attribute(Self.rsaSignature, key.keyID, algorithm: 6)) == .unsigned(.invalid(key.keyID)))
        for bit in stride(from: 9 * 8, to: good.count * 8, by: 131) {
            #expect(try verdict(good.flipping(bit: bit)) == .unsigned(.invalid(key.keyID)))
        }
        // A key's signature does not depend on the path; a listed path with another digest says so when nobody signed it.
        #expect(
            try Self.verdict(list) { $0.addFile("/bin/listed", try IMASamples.digest("z")) }
                == .wrongDigest(expected: [IMASamples.digest("y")]))
    }

    @Test(
        "A file is allowed by an ECDSA key's signature, and by no spoiled one", arguments: [EllipticCurve.p256, .p384])
    func ecdsa(curve: EllipticCurve) throws {
        let key = try PrivateKey.generate(curve), other = try PrivateKey.generate(curve)
        let digest = try IMASamples.digest("x")
        func der(_ fixed: [UInt8]) -> [UInt8] {
            func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
                var number = Array(bytes.drop { $0 == 0 })
                if number.first.map({ $0 >= 0x80 }) ?? true { number.insert(0, at: 0) }
                return [2, UInt8(number.count)] + number
            }
            let body = integer(fixed.prefix(fixed.count / 2)) + integer(fixed.suffix(fixed.count / 2))
            return [0x30, UInt8(body.count)] + body
        }
        let signature = der(try key.ecdsaSignature(ofDigest: digest.bytes))
        let list = try IMAAllowList(keys: [
            IMASigningKey(other.publicKey, keyID: 5), IMASigningKey(key.publicKey, keyID: 5),
        ])
        func verdict(_ signature: [UInt8], _ list: IMAAllowList) throws -> IMAVerdict {
            try Self.verdict(list) { $0.addFile("/x", digest, signature: Self.attribute(signature, 5)) }
        }
        #expect(try verdict(signature, list) == .allowedByKey(5))
        #expect(
            try verdict(signature, IMAAllowList(keys: [IMASigningKey(other.publicKey, keyID: 5)]))
                == .unsigned(.invalid(5)))
        #expect(try verdict(signature, IMAAllowList()) == .unknownPath)
        for bit in stride(from: 0, to: signature.count * 8, by: 37) {
            #expect(try verdict(signature.flipping(bit: bit), list) == .unsigned(.invalid(5)))
        }
        #expect(try verdict(signature + [0], list) == .unsigned(.invalid(5)))
        #expect(try verdict([UInt8](repeating: 0x30, count: 60_000), list) == .unsigned(.invalid(5)))
    }

    @Test("An RSA key below 2048 bits signs no files")
    func weakKey() throws {
        var modulus = [UInt8](repeating: 0xC1, count: 128)
        modulus[127] = 1
        let key = try PublicKey(rsaModulus: modulus, publicExponent: 65537)
        #expect(throws: CryptographyError.self) { try IMASigningKey(key, keyID: 1) }
    }
}
