/// Where dpkg puts a package's file when another package, or the administrator, wanted its place: `/var/lib/dpkg/diversions`.
///
/// Three lines for each: the path that is wanted, where everybody else's file goes, and for whom the path is; a colon is for nobody.
public struct DebianDiversions: Sendable {
    private var diversions: [[UInt8]: (destination: [UInt8], package: [UInt8])] = [:]

    /// The largest list that is read: 4 MiB.
    public static let maximumByteCount = 4 << 20

    /// No diversions.
    public init() {}

    /// Reads a whole list; `nil` for anything but triples of absolute paths and a package, for a path twice, and for too many bytes.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.maximumByteCount, bytes.isEmpty || bytes.last == 0x0A else { return nil }
        let lines = bytes.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
        guard !bytes.isEmpty else { return }
        guard lines.count % 3 == 0 else { return nil }
        for start in stride(from: 0, to: lines.count, by: 3) {
            let from = Array(lines[start]), to = Array(lines[start + 1]), package = Array(lines[start + 2])
            guard from.first == 0x2F, to.first == 0x2F, !package.isEmpty,
                diversions.updateValue((to, package), forKey: from) == nil
            else { return nil }
        }
    }

    /// Where a package's file of this path is.
    public func place(of path: [UInt8], ofPackage package: String) -> [UInt8] {
        guard let diversion = diversions[path], !diversion.package.elementsEqual(package.utf8) else { return path }
        return diversion.destination
    }
}
