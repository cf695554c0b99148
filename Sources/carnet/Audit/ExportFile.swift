import CarnetCommandLine
import CarnetLedger
import Foundation

/// An export on disk, read line by line in memory that does not grow with it.
struct ExportFile {
    let path: String

    /// Calls `body` with each line, without its end, and its number from 1.
    ///
    /// - Throws: ``Failure`` when the file cannot be read, has a line that is too long, or does not end with the end of a line.
    func forEachLine(_ body: ([UInt8], Int64) throws -> Void) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno != ENOENT else { throw Failure(.unreachable, "There is no file \(path).") }
            throw Failure(.unreachable, "\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
            throw Failure(.unreachable, "\(path) is a directory; name a file.")
        }
        var rest: [UInt8] = [], number: Int64 = 0
        while true {
            let data: Data
            do {
                data = try handle.read(upToCount: 1 << 20) ?? Data()
            } catch {
                throw Failure(.unreachable, "\(path) cannot be read: \(error.localizedDescription).")
            }
            guard !data.isEmpty else { break }
            rest += data
            var start = rest.startIndex
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                number += 1
                try body(Array(rest[start..<end]), number)
                start = end + 1
            }
            rest.removeFirst(start)
            guard rest.count <= LedgerLine.maximumByteCount else {
                throw Failure(.unreadable, "Line \(number + 1) of \(path) is longer than any line of an export.")
            }
        }
        guard rest.isEmpty else {
            number += 1
            throw Incomplete(line: number)
        }
    }

    /// The last line has no end: the export was cut off, or something was added.
    struct Incomplete: Error {
        let line: Int64
    }
}
