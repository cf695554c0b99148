import Cryptography
import Fixtures
import MeasurementLogs
import Testing

@Suite("What IMA entries say")
struct IMAContentTests {
    /// What one entry of these fields says, whatever its template is called.
    static func content(_ template: String, _ fields: [[UInt8]]) throws -> IMAContent {
        var builder = IMAListBuilder()
        builder.add(template: template, fields: fields)
        return try IMAList(parsing: builder.bytes)[0].content
    }

    static func digestField(_ text: String) throws -> [UInt8] {
        IMAListBuilder.digestField(try IMASamples.digest(text))
    }

    static let path = Array("/bin/a\0".utf8)
    /// An attribute of a signature's form: key 01020304, two bytes of signature.
    static let signature: [UInt8] = [3, 2, 4, 1, 2, 3, 4, 0, 2, 9, 9]

    @Test("Files, buffers and violations are told apart")
    func kinds() throws {
        let list = try IMAList(parsing: IMASamples.list().bytes)
        for (index, text) in [(0, "boot"), (1, "init"), (2, "sh"), (3, "signed"), (7, "last")] {
            guard case .file(let file) = list[index].content else {
                Issue.record("entry \(index) is not a file")
                continue
            }
            #expect(file.digest == (try IMASamples.digest(text)) && (file.signature != nil) == (index == 3))
        }
        guard case .violation(let name) = list[4].content, case .buffer(let buffer) = list[5].content,
            case .file(let verity) = list[6].content
        else {
            Issue.record("the violation, the buffer or the verity file is something else")
            return
        }
        #expect(name?.matches("/var/log/open") == true)
        #expect(buffer.name.matches("dm_table_load") && buffer.data.elementsEqual("name=root;verity".utf8))
        #expect(buffer.digest == (try IMASamples.digest("name=root;verity", .buffer)))
        #expect(verity.digest == (try IMASamples.digest("app", .verity)))
        #expect(verity.digest != (try IMASamples.digest("app")))
    }

    @Test(
        "A template's name changes nothing",
        arguments: ["ima-ng", "ima-sig", "ima-buf", "ima-modsig", "ima-sigv2", "x"])
    func relabelled(template: String) throws {
        let digest = try Self.digestField("content")
        guard case .file(let file) = try Self.content(template, [digest, Self.path, Self.signature]) else {
            Issue.record("a signed file became something else")
            return
        }
        #expect(file.signature?.keyID == 0x0102_0304)
        let data = Array("a key".utf8)
        let buffer = IMAListBuilder.digestField(
            try #require(IMADigest(.buffer, .sha256, HashAlgorithm.sha256.hash(data))))
        guard case .buffer = try Self.content(template, [buffer, Self.path, data]) else {
            Issue.record("a buffer became something else")
            return
        }
        guard case .file = try Self.content(template, [digest, Self.path, []]) else {
            Issue.record("an unsigned file became something else")
            return
        }
    }

    @Test("An entry that is a signed file's and a buffer's at once is ambiguous")
    func ambiguous() throws {
        let hash = HashAlgorithm.sha256.hash(Self.signature)
        let digest = IMAListBuilder.digestField(try #require(IMADigest(.file, .sha256, hash)))
        guard case .ambiguous(let file, let buffer) = try Self.content("ima-buf", [digest, Self.path, Self.signature])
        else {
            Issue.record("an ambiguous entry was read one way")
            return
        }
        #expect(file.digest != buffer.digest && buffer.data.elementsEqual(Self.signature))
    }

    @Test("Fields that are none of the known templates' say nothing")
    func unreadable() throws {
        let digest = try Self.digestField("content"), value = [UInt8](repeating: 1, count: 32)
        let spoiled: [[[UInt8]]] = [
            [digest], [Self.path, digest], [digest, []], [digest, [0]], [digest, Array("/bin/a".utf8)],
            [digest, Array("/bin\0a\0".utf8)], [digest, Array("/bin/a\0\0".utf8)],
            [Array("unknown:\0".utf8) + value, Self.path], [Array("sha256".utf8) + [0] + value, Self.path],
            [Array("sha256:".utf8) + value, Self.path], [Array("sha256:\0".utf8) + value + [1], Self.path],
            [Array("sha256:\0".utf8) + value.dropLast(), Self.path], [Array(":\0".utf8) + value, Self.path],
            [Array("other:sha256:\0".utf8) + value, Self.path], [Array("ima:ima:sha256:\0".utf8) + value, Self.path],
            [[0] + value, Self.path], [[], Self.path], [Array("SHA256:\0".utf8) + value, Self.path],
            // A third field that is neither a signature nor what the digest covers; four, five and six fields.
            [digest, Self.path, [1, 2, 3]], [digest, Self.path, [], []], [digest, Self.path, [], [], [], []],
            [digest, Self.path, [1], [], []], [digest, Self.path, [], digest, []], [digest, Self.path, [], [], [1]],
            [digest, Self.path, [], [1], [1]],
        ]
        for fields in spoiled {
            guard case .unreadable(let reason) = try Self.content("ima-sig", fields) else {
                Issue.record("\(fields) was read")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }

    @Test("An appended signature is kept with the digest that it signs")
    func appendedSignature() throws {
        let digest = try Self.digestField("content"), signed = try Self.digestField("stripped")
        guard case .file(let file) = try Self.content("ima-modsig", [digest, Self.path, [], signed, [0x30, 0]]),
            case .file(let plain) = try Self.content("ima-modsig", [digest, Self.path, Self.signature, [], []])
        else {
            Issue.record("ima-modsig was not read")
            return
        }
        #expect(file.appendedSignature?.digest == (try IMASamples.digest("stripped")))
        #expect(file.appendedSignature?.message.elementsEqual([0x30, 0]) == true)
        #expect(plain.appendedSignature == nil && plain.signature != nil)
    }

    @Test("A signature is read whole, or not at all")
    func signatures() throws {
        let signature = try #require(IMASignature(parsing: Self.signature[...]))
        #expect(signature.algorithm == .sha256 && signature.keyID == 0x0102_0304 && Array(signature.bytes) == [9, 9])
        for count in Self.signature.indices {
            #expect(IMASignature(parsing: Self.signature.prefix(count)) == nil)
        }
        #expect(IMASignature(parsing: Self.signature + [0]) == nil)
        for (offset, value) in [(0, 6), (0, 2), (1, 1), (1, 3), (2, 0), (2, 99), (7, 1), (8, 1), (8, 3)] {
            var changed = Self.signature
            changed[offset] = UInt8(value)
            #expect(IMASignature(parsing: changed[...]) == nil)
        }
    }

    @Test("What a terminal would obey is replaced in names, and the bytes are kept")
    func names() throws {
        let path = Array("/a\u{1B}[31m\n".utf8) + [0xFF]
        guard case .file(let file) = try Self.content("ima-ng", [try Self.digestField("x"), path + [0]]) else {
            Issue.record("the entry was not read")
            return
        }
        #expect(file.name.bytes.elementsEqual(path))
        #expect(!file.name.description.contains("\u{1B}") && !file.name.description.contains("\n"))
    }

    @Test(
        "Digests are as long as their algorithm makes them, and keep their bytes",
        arguments: IMADigestAlgorithm.allCases)
    func digests(algorithm: IMADigestAlgorithm) throws {
        let bytes = (0..<algorithm.byteCount).map { UInt8($0 + 1) }
        let digest = try #require(IMADigest(.file, algorithm, bytes))
        #expect(digest.bytes == bytes && digest.description == algorithm.name + ":" + bytes.hex)
        #expect(IMADigest(.file, algorithm, bytes + [1]) == nil && IMADigest(.file, algorithm, bytes.dropLast()) == nil)
        for bit in 0..<(bytes.count * 8) {
            #expect(IMADigest(.file, algorithm, bytes.flipping(bit: bit)) != digest)
        }
        #expect(IMADigest(.buffer, algorithm, bytes) != digest)
        #expect(IMADigestAlgorithm(name: algorithm.name.utf8) == algorithm)
    }
}
