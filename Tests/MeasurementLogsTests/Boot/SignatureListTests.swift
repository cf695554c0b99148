import MeasurementLogs
import Testing

@Suite("Signature lists")
struct SignatureListTests {
    static let sha256: [UInt8] = [
        0x26, 0x16, 0xC4, 0xC1, 0x4C, 0x50, 0x92, 0x40, 0xAC, 0xA9, 0x41, 0xF9, 0x36, 0x93, 0x43, 0x28,
    ]
    static let x509: [UInt8] = [
        0xA1, 0x59, 0xC0, 0xA5, 0xE4, 0x94, 0xA7, 0x4A, 0x87, 0xB5, 0xAB, 0x15, 0x5C, 0x2B, 0xF0, 0x72,
    ]
    static let owner = [UInt8](repeating: 7, count: 16)

    static func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    /// A list, any of whose sizes may lie.
    static func list(
        _ type: [UInt8], header: [UInt8] = [], _ signatures: [[UInt8]], listSize: Int? = nil, headerSize: Int? = nil,
        signatureSize: Int? = nil
    ) -> [UInt8] {
        let body = header + signatures.flatMap { $0 }
        return type + number(listSize ?? 28 + body.count) + number(headerSize ?? header.count)
            + number(signatureSize ?? signatures.first?.count ?? 48) + body
    }

    static func hash(_ byte: UInt8) -> [UInt8] { owner + [UInt8](repeating: byte, count: 32) }
    static let certificate = owner + [0x30, 3, 1, 2, 3]

    private func read(_ bytes: [UInt8]) throws(SignatureListError) -> SignatureDatabase {
        try SignatureDatabase(parsing: bytes[...])
    }

    @Test("Hashes and certificates are read with their owners, list after list")
    func reads() throws {
        let bytes = Self.list(Self.sha256, [Self.hash(1), Self.hash(2)]) + Self.list(Self.x509, [Self.certificate])
        let database = try read(bytes)
        #expect(database.count == 3 && database.lists.map(\.kind) == [.sha256, .x509])
        #expect(database.signatures.map { Array($0.data) }.last == [0x30, 3, 1, 2, 3])
        #expect(database.signatures.allSatisfy { $0.owner == GUID(Self.owner) })
        #expect(try read([]).count == 0)
    }

    @Test("A view into a larger array is read as the array itself is")
    func slice() throws {
        let bytes: [UInt8] = [1, 2, 3] + Self.list(Self.sha256, [Self.hash(9)]) + [4]
        let database = try SignatureDatabase(parsing: bytes[3..<(bytes.count - 1)])
        #expect(database.signatures.map(\.data.first) == [9])
    }

    @Test("A type that is not known is kept and not interpreted")
    func other() throws {
        let database = try read(Self.list(Self.owner, [[UInt8](repeating: 1, count: 20)]))
        #expect(database.lists.first?.kind == GUID(Self.owner).map { .other($0) })
    }

    static let spoiled: [(String, [UInt8], SignatureListError)] = [
        ("header bytes that would pass for hashes", list(sha256, header: hash(1), [hash(2)]), .headerBytes(48)),
        ("a header that the list does not have", list(sha256, [hash(1)], headerSize: 1), .headerBytes(1)),
        ("a header of four billion bytes", list(sha256, [hash(1)], headerSize: 0xFFFF_FFFF), .headerBytes(0xFFFF_FFFF)),
        ("a list shorter than its header", list(sha256, [hash(1)], listSize: 27), .listSize(27)),
        ("a list of no bytes", list(sha256, [hash(1)], listSize: 0), .listSize(0)),
        ("a list longer than the value", list(sha256, [hash(1)], listSize: 77), .listSize(77)),
        ("a list of four billion bytes", list(sha256, [hash(1)], listSize: 0xFFFF_FFFF), .listSize(0xFFFF_FFFF)),
        ("a list without signatures", list(sha256, []), .listSize(28)),
        ("signatures of no bytes", list(sha256, [hash(1)], signatureSize: 0), .signatureSize(0)),
        ("signatures that are owners only", list(owner, [owner], signatureSize: 16), .signatureSize(16)),
        ("hashes of another length", list(sha256, [hash(1) + [1]]), .signatureSize(49)),
        ("signatures larger than the list", list(owner, [hash(1)], signatureSize: 49), .listSize(76)),
        ("signatures that leave a rest", list(owner, [hash(1) + [1]], signatureSize: 25 - 1), .listSize(77)),
        ("signatures of four billion bytes", list(owner, [hash(1)], signatureSize: 0xFFFF_FFFF), .listSize(76)),
        ("a certificate with a byte too many", list(x509, [certificate + [0]]), .certificate),
        ("a certificate with a byte too few", list(x509, [certificate.dropLast()]), .certificate),
        ("something else than a certificate", list(x509, [owner + [4, 1, 1]]), .certificate),
        ("a rest after the last list", list(sha256, [hash(1)]) + [0], .truncated),
        (
            "too many lists", [[UInt8]](repeating: list(sha256, [hash(1)]), count: 1025).flatMap { $0 }, .tooManyLists
        ),
    ]

    @Test("What is not lists from end to end is refused with its reason", arguments: spoiled.indices)
    func refused(index: Int) {
        let (_, bytes, error) = Self.spoiled[index]
        #expect(throws: error) { try read(bytes) }
    }

    @Test("A database cut anywhere inside a list is refused")
    func truncation() {
        let bytes = Self.list(Self.sha256, [Self.hash(1), Self.hash(2)])
        for count in 1..<bytes.count {
            #expect(throws: SignatureListError.self) { try read(Array(bytes.prefix(count))) }
        }
    }

    @Test("GUIDs are spelled as the registry spells them")
    func spelling() {
        #expect(GUID(Self.sha256)?.description == "c1c41626-504c-4092-aca9-41f936934328")
        #expect(GUID(Self.sha256)?.bytes == Self.sha256 && GUID([1]) == nil)
        #expect(GUID(UEFIVariable.globalVendor) == .globalVariable && GUID(UEFIVariable.shimVendor) == .shimLock)
        #expect(GUID.imageSecurityDatabase.description == "d719b2cb-3d3a-4596-a3bc-dad00e67656f")
    }
}
