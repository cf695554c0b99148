internal import Glibc

/// A file that a machine may open, under its path only.
public struct ReferenceFile: Sendable, Hashable {
    /// The absolute path in UTF-8, without `.`, `..`, empty parts and a slash at its end.
    public let path: [UInt8]
    /// The digest of the content.
    public let digest: ReferenceDigest

    /// The longest path in bytes: Linux' PATH_MAX without the zero.
    public static let maximumPathByteCount = 4095

    /// A file; `nil` for a path that is not absolute, too long, not UTF-8, or not the shortest spelling of its place.
    public init?(path: some Collection<UInt8>, _ digest: ReferenceDigest) {
        let path = Array(path)
        guard Self.isCanonical(path) else { return nil }
        self.path = path
        self.digest = digest
    }

    private static func isCanonical(_ path: [UInt8]) -> Bool {
        guard path.first == 0x2F, path.count >= 2, path.count <= maximumPathByteCount, !path.contains(0) else {
            return false
        }
        var start = 1
        for index in 1...path.count where index == path.count || path[index] == 0x2F {
            let length = index - start
            if length == 0 { return false }
            if length <= 2, path[start..<index].allSatisfy({ $0 == 0x2E }) { return false }
            start = index + 1
        }
        return String(validating: path, as: UTF8.self) != nil
    }

    /// The order in which a set is written: by the path's bytes, then by digest.
    static func precedes(_ left: Self, _ right: Self) -> Bool {
        let order = left.path.withUnsafeBytes { left in
            right.path.withUnsafeBytes { right in
                guard let first = left.baseAddress, let second = right.baseAddress else { return 0 }
                let common = Int(memcmp(first, second, min(left.count, right.count)))
                return common != 0 ? common : left.count - right.count
            }
        }
        return order != 0 ? order < 0 : left.digest < right.digest
    }
}
