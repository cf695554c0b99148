import Foundation

/// Files as bytes, bounded; `-` is standard input.
package enum Input {
    /// The most that is read of any file.
    package static let maximumByteCount = 16 << 20

    /// A file's bytes.
    package static func bytes(_ path: String, maximum: Int = maximumByteCount) throws(Failure) -> [UInt8] {
        try read(path, maximum, isSecret: false)
    }

    /// The bytes of a file with a secret, which nobody but its owner may read or write. The check is made on the file that was opened.
    package static func secret(_ path: String, maximum: Int) throws(Failure) -> [UInt8] {
        try read(path, maximum, isSecret: true)
    }

    private static func read(_ path: String, _ maximum: Int, isSecret: Bool) throws(Failure) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno != ENOENT else { throw Failure(.unreachable, "There is no file \(path).") }
            throw Failure(.unreachable, "\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: path != "-")
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw Failure(.unreachable, "\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw Failure(.unreachable, "\(path) is a directory; name a file.")
        }
        if isSecret, path != "-" { try checkPrivacy(path, status) }
        do {
            let data = try handle.read(upToCount: maximum + 1) ?? Data()
            guard data.count <= maximum else {
                throw Failure(.unreadable, "\(path) has more than \(maximum) bytes, which is more than is read.")
            }
            return [UInt8](data)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.unreachable, "\(path) cannot be read: \(error.localizedDescription).")
        }
    }

    private static func checkPrivacy(_ path: String, _ status: stat) throws(Failure) {
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw Failure(
                .refused,
                "\(path) belongs to another user, who could put anything there. Remove it, or take it over with chown.")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw Failure(
                .refused, "\(path) holds a secret and others can read it (mode \(mode)). Run: chmod 600 \(path)")
        }
    }

    /// A token's bytes: the file's, without white space around them.
    package static func token(_ path: String) throws(Failure) -> [UInt8] { try trimmed(path, maximum: 1 << 18) }

    /// An API token's bytes, of a file that nobody but its owner may read or write, without white space around them.
    package static func apiToken(_ path: String) throws(Failure) -> [UInt8] {
        trimmed(try secret(path, maximum: 1 << 18))
    }

    /// A status list token's bytes, which may be many more.
    package static func statusList(_ path: String) throws(Failure) -> [UInt8] {
        try trimmed(path, maximum: maximumByteCount)
    }

    private static func trimmed(_ path: String, maximum: Int) throws(Failure) -> [UInt8] {
        trimmed(try bytes(path, maximum: maximum))
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        return Array(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
