extension PEImage {
    /// The largest file that is read: 512 MiB.
    public static let maximumByteCount = 512 << 20
    /// The most sections, Windows' own limit.
    private static let maximumSectionCount = 96

    /// Reads a whole file. All integers are little-endian.
    ///
    /// - Throws: ``PEImageError`` when headers or sections leave the file, sections overlap one another or the headers, or the
    ///   certificates are not the end of the file: then the Authenticode digest would not be what firmware computes.
    public init(parsing bytes: [UInt8]) throws(PEImageError) {
        guard bytes.count <= Self.maximumByteCount else { throw .tooLarge(bytes.count) }
        let file = bytes[...]
        guard bytes.count >= 64, file.starts(with: "MZ".utf8) else { throw .malformed("does not begin with MZ") }
        let header = file.littleEndian32(at: 0x3C)
        guard header >= 64, header <= bytes.count - 24 else { throw .truncated("COFF header") }
        guard file.dropFirst(header).starts(with: [0x50, 0x45, 0, 0]) else { throw .malformed("has no PE signature") }
        let sectionCount = Self.uint16(file, header + 6), optionalSize = Self.uint16(file, header + 20)
        guard (1...Self.maximumSectionCount).contains(sectionCount) else {
            throw .malformed("has \(sectionCount) sections")
        }
        let optional = header + 24
        let table = optional + optionalSize
        guard table + sectionCount * 40 <= bytes.count else { throw .truncated("section table") }
        guard optionalSize >= 2 else { throw .truncated("optional header") }
        let directories: Int
        switch Self.uint16(file, optional) {
        case 0x10B: directories = 96
        case 0x20B: directories = 112
        case let magic: throw .malformed("has the magic number \(magic) in its optional header")
        }
        guard optionalSize >= directories else { throw .truncated("optional header") }
        let entryCount = file.littleEndian32(at: optional + directories - 4)
        guard entryCount <= 16, optionalSize >= directories + entryCount * 8 else {
            throw .truncated("data directories")
        }
        headerByteCount = file.littleEndian32(at: optional + 60)
        guard headerByteCount >= table + sectionCount * 40, headerByteCount <= bytes.count else {
            throw .malformed("has headers of \(headerByteCount) bytes")
        }
        checksum = optional + 64
        let entry = optional + directories + 4 * 8
        certificateEntry = entryCount > 4 ? entry : nil
        certificates = entryCount > 4 ? try Self.certificates(file, entry, headerByteCount) : bytes.count..<bytes.count
        sections = try Self.sections(file, table, sectionCount, headerByteCount..<certificates.lowerBound)
        self.bytes = bytes
    }

    private static func certificates(
        _ file: ArraySlice<UInt8>, _ entry: Int, _ headers: Int
    ) throws(PEImageError) -> Range<Int> {
        let start = file.littleEndian32(at: entry), size = file.littleEndian32(at: entry + 4)
        guard size > 0 else {
            guard start == 0 else { throw .malformed("has certificates at \(start) of no bytes") }
            return file.endIndex..<file.endIndex
        }
        // Bytes behind the certificates would be covered by no signature.
        guard start >= headers, start <= file.count, size == file.count - start else {
            throw .malformed("has certificates that are not its end")
        }
        return start..<file.endIndex
    }

    private static func sections(
        _ file: ArraySlice<UInt8>, _ table: Int, _ count: Int, _ room: Range<Int>
    ) throws(PEImageError) -> [Section] {
        var sections: [Section] = []
        for number in 0..<count {
            let entry = table + number * 40
            let name = file[entry..<(entry + 8)].prefix { $0 != 0 }
            guard name.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw .malformed("has a section whose name is not ASCII")
            }
            let size = file.littleEndian32(at: entry + 16), start = file.littleEndian32(at: entry + 20)
            guard size == 0 || start >= room.lowerBound && start <= room.upperBound && size <= room.upperBound - start
            else { throw .malformed("has a section outside the file: \(String(decoding: name, as: UTF8.self))") }
            sections.append(
                Section(
                    name: String(decoding: name, as: UTF8.self), range: size == 0 ? 0..<0 : start..<(start + size),
                    virtualByteCount: file.littleEndian32(at: entry + 8)))
        }
        var end = room.lowerBound
        for section in sections.filter({ !$0.range.isEmpty }).sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
        {
            guard section.range.lowerBound >= end else { throw .malformed("has sections that overlap") }
            end = section.range.upperBound
        }
        return sections
    }

    /// The number in two bytes at an offset that is known to be inside.
    private static func uint16(_ file: ArraySlice<UInt8>, _ offset: Int) -> Int {
        Int(file[offset]) | Int(file[offset + 1]) << 8
    }
}
