import Foundation

/// What a command prints: lines for people, or one JSON value for programs.
enum Output {
    static func line(_ text: String = "") { write(text + "\n") }

    /// Two aligned columns.
    static func table(_ rows: [(String, String)]) {
        let width = rows.map(\.0.count).max() ?? 0
        for (name, value) in rows {
            line("  " + name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + value)
        }
    }

    /// Columns under headings, each as wide as its widest cell.
    static func table(headings: [String], _ rows: [[String]]) {
        let widths = headings.indices.map { column in
            ([headings] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        for row in [headings] + rows {
            let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            line(String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()))
        }
    }

    /// One JSON value, its members sorted, so that two runs print the same.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
    }

    /// Bytes to a file, or to standard output when `path` is nil or `-`. A file is made with mode 0600.
    static func bytes(_ bytes: [UInt8], to path: String?) throws(Failure) {
        guard let path, path != "-" else { return FileHandle.standardOutput.write(Data(bytes)) }
        let url = URL(filePath: path)
        do {
            try Data(bytes).write(to: url, options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
        } catch {
            throw Failure(.unreachable, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    private static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
