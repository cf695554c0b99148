extension IMAList {
    /// How much is read before giving up.
    public struct Limits: Sendable {
        public var maximumByteCount: Int
        public var maximumEntryCount: Int
        /// Of one entry's template data.
        public var maximumDataByteCount: Int

        /// 64 MiB, 1,000,000 entries, 1 MiB of template data in an entry: several times what servers write between two boots.
        public static let standard = Limits(
            maximumByteCount: 64 << 20, maximumEntryCount: 1_000_000, maximumDataByteCount: 1 << 20)

        /// Limits of one's own. Whatever they say, no more than 4 GiB are read.
        public init(maximumByteCount: Int, maximumEntryCount: Int, maximumDataByteCount: Int) {
            self.maximumByteCount = min(maximumByteCount, Int(UInt32.max))
            self.maximumEntryCount = maximumEntryCount
            self.maximumDataByteCount = maximumDataByteCount
        }
    }

    /// The longest template name that is read. Names may be formats, as in `d-ng|n-ng|sig`.
    static let maximumNameByteCount = 255
    /// `TEMPLATE_NUM_FIELDS_MAX` in Linux's `ima.h`.
    static let maximumFieldCount = 15
    /// `IMA_EVENT_NAME_LEN_MAX` in Linux's `ima.h`: the longest file name of the template `ima`.
    static let maximumLegacyNameByteCount = 255

    /// Reads a whole list, or a part of one that begins with an entry; no bytes are a list without entries.
    ///
    /// - Parameter firstIndex: How many entries came before these bytes.
    /// - Throws: At the first field that is too long, too short or not what the kernel writes.
    public init(
        parsing bytes: [UInt8], startingAt firstIndex: Int = 0, limits: Limits = .standard
    ) throws(IMAListError) {
        guard bytes.count <= limits.maximumByteCount else {
            throw .tooLarge("\(bytes.count) bytes; at most \(limits.maximumByteCount) are read")
        }
        guard (0...IMACheckpoint.maximumEntryCount).contains(firstIndex) else {
            throw .tooLarge("a list that begins at entry \(firstIndex)")
        }
        var cursor = IMACursor(end: bytes.count, entry: firstIndex)
        var starts: [UInt32] = []
        starts.reserveCapacity(min(bytes.count / 64, limits.maximumEntryCount))
        while cursor.position < bytes.count {
            guard starts.count < limits.maximumEntryCount else {
                throw .tooLarge("more than \(limits.maximumEntryCount) entries")
            }
            starts.append(UInt32(truncatingIfNeeded: cursor.position))
            try Self.readEntry(bytes, &cursor, limits)
            cursor.entry += 1
        }
        self.firstIndex = firstIndex
        self.bytes = bytes
        self.starts = starts
    }

    private static func readEntry(
        _ bytes: [UInt8], _ cursor: inout IMACursor, _ limits: Limits
    ) throws(IMAListError) {
        let pcr = try cursor.uint32(bytes, "PCR index")
        guard pcr < 24 else { throw cursor.malformed("belongs to PCR \(pcr), which does not exist", back: 4) }
        try cursor.skip(20, "template digest")
        let nameCount = try cursor.uint32(bytes, "template name's length")
        guard nameCount >= 1, nameCount <= maximumNameByteCount else {
            throw cursor.malformed("has a template name of \(nameCount) bytes; 1 to 255 are read", back: 4)
        }
        let nameStart = cursor.position
        try cursor.skip(nameCount, "template name")
        for position in nameStart..<cursor.position where !(0x21...0x7E).contains(bytes[position]) {
            throw cursor.malformed("has a template name that is not text", back: nameCount)
        }
        if IMAEntry.isLegacy(bytes, nameStart..<cursor.position) {
            try readLegacyData(bytes, &cursor)
        } else {
            try readFields(bytes, &cursor, limits)
        }
    }

    /// The template `ima`: a digest of 20 bytes, then a name with its length.
    private static func readLegacyData(_ bytes: [UInt8], _ cursor: inout IMACursor) throws(IMAListError) {
        try cursor.skip(20, "file digest")
        let count = try cursor.uint32(bytes, "file name's length")
        guard count <= maximumLegacyNameByteCount else {
            throw cursor.malformed("has a file name of \(count) bytes; the template ima has at most 255", back: 4)
        }
        let start = cursor.position
        try cursor.skip(count, "file name")
        // The name is hashed with zeros behind it: one that has zeros of its own would be another name with the same digest.
        for position in start..<cursor.position where bytes[position] == 0 {
            throw cursor.malformed("has a zero in its file name", back: count)
        }
    }

    /// Every other template: the length of the data, then 1 to 15 fields with a length each, which fill it.
    private static func readFields(
        _ bytes: [UInt8], _ cursor: inout IMACursor, _ limits: Limits
    ) throws(IMAListError) {
        let count = try cursor.uint32(bytes, "template data's length")
        guard count <= limits.maximumDataByteCount else {
            throw .tooLarge("entry \(cursor.entry) has \(count) bytes; at most \(limits.maximumDataByteCount) are read")
        }
        guard count <= cursor.remaining else { throw cursor.truncated("template data") }
        let end = cursor.position + count
        var fields = 0
        while cursor.position < end || fields == 0 {
            guard fields < maximumFieldCount else {
                throw cursor.malformed("has more than \(maximumFieldCount) fields")
            }
            guard end - cursor.position >= 4 else { throw cursor.malformed("has a field without its length") }
            let length = try cursor.uint32(bytes, "field's length")
            guard length <= end - cursor.position else {
                throw cursor.malformed("has a field of \(length) bytes that runs past its data", back: 4)
            }
            try cursor.skip(length, "field")
            fields += 1
        }
    }
}

/// A position in a list that never passes its end, and the number of the entry it is in.
struct IMACursor {
    private(set) var position = 0
    let end: Int
    var entry: Int

    init(end: Int, entry: Int) {
        self.end = end
        self.entry = entry
    }

    var remaining: Int { end - position }

    mutating func skip(_ count: Int, _ field: String) throws(IMAListError) {
        guard count <= remaining else { throw truncated(field) }
        position += count
    }

    mutating func uint32(_ bytes: [UInt8], _ field: String) throws(IMAListError) -> Int {
        guard remaining >= 4 else { throw truncated(field) }
        defer { position += 4 }
        return IMAEntry.uint32(bytes, position)
    }

    func truncated(_ field: String) -> IMAListError { .truncated(entry: entry, offset: position, field: field) }

    func malformed(_ reason: String, back: Int = 0) -> IMAListError {
        .malformed(entry: entry, offset: position - back, reason: reason)
    }
}
