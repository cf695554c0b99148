internal import Foundation

/// Files that only their owner may read, replaced as a whole or not at all.
public enum PrivateFile {
    /// Writes `bytes` to `path` with mode 0600 from the first byte on.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        let temporary = path + ".new-\(getpid())"
        guard
            FileManager.default.createFile(
                atPath: temporary, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteNoPermission, userInfo: [NSFilePathErrorKey: path]) }
        guard rename(temporary, path) == 0 else {
            try? FileManager.default.removeItem(atPath: temporary)
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
    }
}
