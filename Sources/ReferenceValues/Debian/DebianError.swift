/// Why a package database cannot be read.
public enum DebianError: Error, Hashable, CustomStringConvertible {
    /// A file or folder that must be there is not, or cannot be opened.
    case unreachable(path: String, reason: String)
    /// A file is not what dpkg writes.
    case malformed(path: String, reason: String)
    /// A package that was asked for is not installed.
    case notInstalled(String)
    /// More files than a set may have.
    case tooLarge(String)
    /// libcrypto is configured to refuse MD5, the only checksum that packages have.
    case withoutMD5

    /// A sentence.
    public var description: String {
        switch self {
        case .unreachable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .malformed(let path, let reason): "\(path) \(reason)"
        case .notInstalled(let name): "the package \(name) is not installed"
        case .tooLarge(let reason): "the packages are too many: \(reason)"
        case .withoutMD5: "libcrypto refuses MD5 here, and packages have no other checksum"
        }
    }
}
