import Foundation

/// Files as bytes, bounded; `-` is standard input.
package enum Input {
    /// The most that is read of any file.
    package static let maximumByteCount = 16 << 20

    /// A file's bytes.
    package static func bytes(_ path: String, maximum: Int = maximumByteCount) throws(Failure) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno != ENOENT else { throw Failure(.unreachable, "There is no file \(path).") }
            throw Failure(.unreachable, "\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: path != "-")
        var status = stat()
        guard fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
            throw Failure(.unreachable, "\(path) is a directory; name a file.")
        }
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

    /// A token's bytes: the file's, without white space around them.
    package static func token(_ path: String) throws(Failure) -> [UInt8] { try trimmed(path, maximum: 1 << 18) }

    /// A status list token's bytes, which may be many more.
    package static func statusList(_ path: String) throws(Failure) -> [UInt8] {
        try trimmed(path, maximum: maximumByteCount)
    }

    private static func trimmed(_ path: String, maximum: Int) throws(Failure) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let bytes = try bytes(path, maximum: maximum).drop(while: isSpace)
        return Array(bytes.reversed().drop(while: isSpace).reversed())
    }
}
