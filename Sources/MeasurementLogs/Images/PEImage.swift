/// A file in the format that UEFI runs (Microsoft PE Format; UEFI Specification §2.1.1), as far as its digests need it.
public struct PEImage: Sendable {
    /// One section, in the order of the section table.
    public struct Section: Sendable, Hashable {
        /// The name, at most eight characters, as in `.linux`.
        public let name: String
        /// Where its bytes stand in the file; empty for a section without any.
        public let range: Range<Int>
        /// How many of them are loaded: the rest is padding. 0 in some files, and then all are.
        public let virtualByteCount: Int
    }

    /// The whole file.
    public let bytes: [UInt8]
    /// The sections, in the order of the section table.
    public let sections: [Section]

    /// Where the checksum stands: four bytes that a signature leaves out.
    let checksum: Int
    /// Where the certificate table's address and size stand: eight bytes; `nil` in a file without that directory entry.
    let certificateEntry: Int?
    /// Where headers end.
    let headerByteCount: Int
    /// The certificates at the end of the file; empty in a file that is not signed.
    let certificates: Range<Int>
}

/// Why bytes are not an image whose digest can be computed.
public enum PEImageError: Error, Hashable, CustomStringConvertible {
    /// More than 512 MiB.
    case tooLarge(Int)
    /// A structure runs past the end.
    case truncated(String)
    /// A field has a value that no loader accepts, or with which the digest would not be one of the whole file.
    case malformed(String)

    /// A sentence.
    public var description: String {
        switch self {
        case .tooLarge(let count): "the image has \(count) bytes; at most \(PEImage.maximumByteCount) are read"
        case .truncated(let field): "the image ends inside its \(field)"
        case .malformed(let reason): "the image \(reason)"
        }
    }
}
