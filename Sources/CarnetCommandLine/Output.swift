import Foundation

/// What a command prints: lines for people, or one JSON value for programs. Nothing is buffered, so that lines and errors keep their order.
package enum Output {
    /// A line, or several.
    package static func line(_ text: String = "") { write(text.printable + "\n") }

    /// A line beside what is printed: on standard error, where the output itself goes to standard output.
    package static func aside(_ text: String) {
        // Where nobody reads it, nothing is lost that was asked for.
        try? FileHandle.standardError.write(contentsOf: Data((text.printable + "\n").utf8))
    }

    /// Two aligned columns.
    package static func table(_ rows: [(String, String)], to print: (String) -> Void = { line($0) }) {
        let width = rows.map(\.0.count).max() ?? 0
        for (name, value) in rows {
            print("  " + name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + value.printableLine)
        }
    }

    /// Columns under headings, each as wide as its widest cell.
    package static func table(headings: [String], _ rows: [[String]]) {
        var table = Table(headings: headings)
        table.add(rows)
    }

    /// One JSON value, its members sorted, so that two runs print the same.
    package static func json(_ value: some Encodable) throws { json(text: try text(of: value)) }

    /// The text of a JSON value, as it is printed.
    static func text(of value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// JSON that is text already.
    package static func json(text: String) { write(text + "\n") }

    /// A part of a JSON text, as it is.
    static func part(_ text: String) { write(text) }

    /// Who may read a file that is written.
    package enum Audience: Sendable {
        /// Its owner: mode 0600.
        case owner
        /// Everybody, as far as the umask allows: mode 0644. For what is public, so that a web server can serve it.
        case everybody

        fileprivate var mode: mode_t { self == .owner ? 0o600 : 0o644 }
    }

    /// One token: a file holds it and nothing else, since a token has no white space around it; standard output gets the end of a line.
    package static func token(
        _ token: [UInt8], to path: String?, for audience: Audience = .owner
    ) throws(Failure) {
        let isFile = path.map { $0 != "-" } ?? false
        try bytes(isFile ? token : token + [0x0A], to: path, for: audience)
    }

    /// A secret to a file that was not there, with mode 0600.
    package static func newSecret(_ bytes: [UInt8], to path: String, nextStep: String) throws(Failure) {
        // O_EXCL: what is there already, a key above all, is never replaced.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            guard errno != EEXIST else { throw Failure(.refused, "\(path) is there already. \(nextStep)") }
            throw Failure(.unreachable, "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(bytes))
            try handle.synchronize()
        } catch {
            let failure = Failure(.unreachable, "\(path) cannot be written: \(String(cString: strerror(errno))).")
            unlink(path)
            throw failure
        }
    }

    /// Asks for something that is shown once, when it is certain that it can be kept: in a file that was not there and can be written.
    ///
    /// - Parameter body: Asks, and writes what it got to the file. When it fails there is no file.
    package static func keeping(in path: String?, _ body: () async throws -> Void) async throws {
        guard let path, path != "-" else { return try await body() }
        try newSecret([], to: path, nextStep: "It is not replaced: name another file.")
        do { try await body() } catch {
            unlink(path)
            throw error
        }
    }

    /// Bytes to a file, or to standard output when `path` is nil or `-`. A file has its mode from its first byte on, and is replaced as a
    /// whole or not at all.
    package static func bytes(_ bytes: [UInt8], to path: String?, for audience: Audience = .owner) throws(Failure) {
        guard let path, path != "-" else { return write(bytes) }
        let temporary = path + ".new-\(getpid())"
        func failure() -> Failure {
            Failure(.unreachable, "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
        unlink(temporary)
        // O_EXCL: whatever somebody else puts there meanwhile is not followed.
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, audience.mode)
        guard descriptor >= 0 else { throw failure() }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(bytes))
            try handle.synchronize()
        } catch {
            let failure = failure()
            unlink(temporary)
            throw failure
        }
        guard rename(temporary, path) == 0 else {
            let failure = failure()
            unlink(temporary)
            throw failure
        }
    }

    private static func write(_ text: String) { write(Array(text.utf8)) }

    /// Everything to standard output. When nobody reads any more, as after `| head -1`, the program ends as by SIGPIPE: there is nothing
    /// left to say, and it is no fault.
    private static func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                exit(128 + SIGPIPE)
            }
        }
    }
}
