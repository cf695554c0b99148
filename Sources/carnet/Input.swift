import Foundation

/// Files as bytes, bounded; `-` is standard input.
enum Input {
    static let maximumByteCount = 16 << 20

    static func bytes(_ path: String) throws(Failure) -> [UInt8] {
        do {
            let handle: FileHandle
            if path == "-" {
                handle = .standardInput
            } else {
                var isDirectory: ObjCBool = false
                guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                    throw Failure(.unreachable, "There is no file \(path).")
                }
                if isDirectory.boolValue { throw Failure(.unreachable, "\(path) is a directory; name a file.") }
                handle = try FileHandle(forReadingFrom: URL(filePath: path))
            }
            let data = try handle.read(upToCount: maximumByteCount + 1) ?? Data()
            guard data.count <= maximumByteCount else {
                throw Failure(
                    .unreadable, "\(path) has more than \(maximumByteCount) bytes, which is more than is read.")
            }
            return [UInt8](data)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.unreachable, "\(path) cannot be read: \(error.localizedDescription)")
        }
    }

    /// A token's bytes: the file's, without white space around them.
    static func token(_ path: String) throws(Failure) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let bytes = try bytes(path).drop(while: isSpace)
        return Array(bytes.reversed().drop(while: isSpace).reversed())
    }
}
