internal import StrictEncoding

/// A package's checksums, `/var/lib/dpkg/info/NAME.md5sums`: for each file 32 digits, two spaces, and the path without its first slash.
public struct DebianChecksums: Sendable {
    /// A path in the package, absolute, and the MD5 that the package has for it.
    public struct Entry: Sendable, Hashable {
        public let path: [UInt8]
        public let md5: [UInt8]
    }

    /// The entries in order.
    public let entries: [Entry]

    /// The largest list that is read: 32 MiB.
    public static let maximumByteCount = 32 << 20

    /// Reads a whole list; `nil` for a line that is none of dpkg's, a path twice, and too many bytes. An empty list has no entries.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.maximumByteCount else { return nil }
        var entries: [Entry] = [], paths: Set<[UInt8]> = []
        for line in bytes.split(separator: 0x0A) {
            guard line.count > 34, line.dropFirst(32).prefix(2).elementsEqual([0x20, 0x20]),
                let md5 = Hexadecimal.decode(String(decoding: line.prefix(32), as: UTF8.self))
            else { return nil }
            let name = line.dropFirst(34)
            guard name.first != 0x2F, !name.contains(0) else { return nil }
            let path = [0x2F] + Array(name)
            guard paths.insert(path).inserted else { return nil }
            entries.append(Entry(path: path, md5: md5))
        }
        self.entries = entries
    }
}
