internal import CArchive

/// The files of a cabinet (Microsoft's TrustedTpm.cab), read by libarchive, bounded.
enum Cabinet {
    static let maximumFileCount = 8192
    static let maximumFileByteCount = 1 << 20

    /// Why a cabinet is not read.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    /// Each regular file with its name, which is for messages only: nothing is written under it.
    static func files(_ bytes: [UInt8]) throws(Unreadable) -> [(name: String, bytes: [UInt8])] {
        let archive = archive_read_new()
        defer { archive_read_free(archive) }
        archive_read_support_format_cab(archive)
        // libarchive keeps the pointer until it is freed, so the bytes stay where they are meanwhile.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
        buffer.copyBytes(from: bytes)
        defer { buffer.deallocate() }
        guard archive_read_open_memory(archive, buffer.baseAddress, bytes.count) == ARCHIVE_OK else {
            throw unreadable(archive)
        }
        var files: [(name: String, bytes: [UInt8])] = []
        while true {
            var entry: OpaquePointer?
            let code = archive_read_next_header(archive, &entry)
            if code == ARCHIVE_EOF { return files }
            guard code == ARCHIVE_OK else { throw unreadable(archive) }
            guard files.count < maximumFileCount else {
                throw Unreadable(description: "the cabinet has more than \(maximumFileCount) files")
            }
            let name = archive_entry_pathname(entry).map { String(cString: $0) } ?? "file \(files.count + 1)"
            files.append((name, try content(archive, name)))
        }
    }

    private static func content(_ archive: OpaquePointer?, _ name: String) throws(Unreadable) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = archive_read_data(archive, &chunk, chunk.count)
            if count == 0 { return content }
            guard count > 0 else { throw unreadable(archive) }
            content += chunk.prefix(count)
            guard content.count <= maximumFileByteCount else {
                throw Unreadable(description: "\(name) in the cabinet has more than \(maximumFileByteCount) bytes")
            }
        }
    }

    private static func unreadable(_ archive: OpaquePointer?) -> Unreadable {
        let reason = archive_error_string(archive).map { String(cString: $0) } ?? "unknown reason"
        return Unreadable(description: "the cabinet cannot be read: \(reason)")
    }
}
