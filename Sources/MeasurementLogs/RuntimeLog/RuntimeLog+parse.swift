internal import StrictEncoding
internal import TPM2

extension RuntimeLog {
    /// The longest log that is read, in bytes: 4 MiB, which are 1,024 for each of ``maximumRecordCount`` records. With four banks systemd
    /// writes some 600.
    ///
    /// The log only grows until the next boot, and no part of it explains a PCR. So there is one bound for whoever sends it and whoever
    /// reads it, and it is the count that ends a log of real records, not the bytes.
    public static let maximumByteCount = 4 << 20
    /// The most records that are read.
    public static let maximumRecordCount = 4096
    /// The longest record that is read, in bytes.
    private static let maximumRecordByteCount = 64 << 10
    /// Begins each record (RFC 7464 §2.2).
    private static let separator: UInt8 = 0x1E

    /// Reads a whole log.
    ///
    /// - Throws: ``RuntimeLogError`` for anything but records of the members that systemd writes: one register, each bank's digest once
    ///   and of its length, the content type `systemd`, and one boot's ID in all. Where records have numbers, all have, without a gap.
    public init(parsing bytes: [UInt8]) throws(RuntimeLogError) {
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= Self.maximumByteCount else {
            throw .tooLarge("\(bytes.count) bytes; at most \(Self.maximumByteCount) are read")
        }
        guard bytes.first == Self.separator else { throw .malformed(record: 0, reason: "does not begin with 0x1E") }
        var records: [RuntimeRecord] = []
        var numbers: [Int64?] = []
        var rest = bytes.dropFirst()
        while true {
            let index = records.count
            guard index < Self.maximumRecordCount else {
                throw .tooLarge("more than \(Self.maximumRecordCount) records")
            }
            let text = rest.prefix { $0 != Self.separator }
            let (record, number) = try RuntimeRecord.read(Array(text), index, Self.maximumRecordByteCount)
            records.append(record)
            numbers.append(number)
            rest = rest.dropFirst(text.count)
            if rest.popFirst() == nil { break }
        }
        for (index, number) in numbers.enumerated() where number != numbers[0].map({ $0 &+ Int64(index) }) {
            throw .malformed(record: index, reason: "does not have the number that follows")
        }
        for (index, record) in records.enumerated() where record.untrustedBootID != records[0].untrustedBootID {
            throw .malformed(record: index, reason: "is of another boot")
        }
        self.init(records)
    }
}

extension RuntimeRecord {
    fileprivate static func read(
        _ text: [UInt8], _ index: Int, _ maximumByteCount: Int
    ) throws(RuntimeLogError) -> (RuntimeRecord, number: Int64?) {
        func malformed(_ reason: String) -> RuntimeLogError { .malformed(record: index, reason: reason) }
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: text, maximumByteCount: maximumByteCount, maximumDepth: 8)
        } catch { throw malformed("is no JSON text: \(error)") }
        guard let members = document.root.members else { throw malformed("is no object") }
        let known: Set<String> = ["recnum", "pcr", "nv_index", "digests", "content_type", "content"]
        if let unknown = members.first(where: { !known.contains($0.name) }) {
            throw malformed("has the member \(unknown.name.prefix(40).debugDescription)")
        }
        let root = document.root
        var number: Int64?
        if let node = root["recnum"] {
            guard let value = node.integer, value >= 0 else { throw malformed("has a number that is none") }
            number = value
        }
        guard root["content_type"]?.isString(equalTo: "systemd") == true else {
            throw malformed("is not of the content type systemd")
        }
        guard let content = root["content"], content.isObject else { throw malformed("has no content") }
        for name in ["string", "eventType", "bootId", "nvIndexName"] {
            guard content[name]?.isString != false else { throw malformed("has a \(name) that is no string") }
        }
        guard content["timestamp"].map({ $0.integer ?? -1 >= 0 }) != false else {
            throw malformed("has a timestamp that is no time")
        }
        let record = RuntimeRecord(
            register: try register(root, index), digests: try digests(root["digests"], index),
            untrustedText: content["string"]?.string, untrustedKind: content["eventType"]?.string,
            untrustedBootID: content["bootId"]?.string, untrustedTimestamp: content["timestamp"]?.integer)
        return (record, number)
    }

    private static func register(_ root: JSONNode, _ index: Int) throws(RuntimeLogError) -> Register {
        switch (root["pcr"], root["nv_index"]) {
        case (let node?, nil):
            if let pcr = node.integer, (0..<24).contains(pcr) { return .pcr(Int(pcr)) }
            throw .malformed(record: index, reason: "names a PCR that does not exist")
        case (nil, let node?):
            // NV index handles are 0x01000000 to 0x01FFFFFF (TPM 2.0 Library, Part 2 §7.2).
            if let handle = node.integer, (0x0100_0000...0x01FF_FFFF).contains(handle) {
                return .nvIndex(UInt32(handle))
            }
            throw .malformed(record: index, reason: "names an NV index that does not exist")
        default: throw .malformed(record: index, reason: "does not name one register")
        }
    }

    private static func digests(
        _ node: JSONNode?, _ index: Int
    ) throws(RuntimeLogError) -> [TPM.AlgorithmID: [UInt8]] {
        guard let elements = node?.elements, (1...8).contains(elements.count) else {
            throw .malformed(record: index, reason: "does not have 1 to 8 digests")
        }
        var digests: [TPM.AlgorithmID: [UInt8]] = [:]
        for element in elements {
            guard element.count == 2, let name = element["hashAlg"]?.string, let bank = banks[name],
                let digest = element["digest"]?.string.flatMap({ Hexadecimal.decode($0) }),
                digest.count == bank.digestByteCount
            else { throw .malformed(record: index, reason: "has a digest without a known algorithm and its length") }
            guard digests.updateValue(digest, forKey: bank) == nil else {
                throw .malformed(record: index, reason: "has two digests of \(bank)")
            }
        }
        return digests
    }

    /// The names of hash functions in the TCG's registry, as systemd writes them.
    private static let banks: [String: TPM.AlgorithmID] = [
        "sha1": .sha1, "sha256": .sha256, "sha384": .sha384, "sha512": .sha512, "sm3_256": .sm3,
        "sha3_256": .sha3x256, "sha3_384": .sha3x384, "sha3_512": .sha3x512,
    ]
}
