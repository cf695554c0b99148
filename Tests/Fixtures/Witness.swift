import Foundation

/// Programs nobody here wrote, asked to judge what Carnet wrote.
public struct Witness: Sendable {
    /// The program's absolute path.
    public let path: String

    /// The program at a path that is known.
    public init(path: String) { self.path = path }

    /// Whether a missing witness is a failure: CI sets `CARNET_REQUIRE_WITNESSES`.
    public static var areRequired: Bool { ProcessInfo.processInfo.environment["CARNET_REQUIRE_WITNESSES"] == "1" }

    /// The program of this name in the usual places; `nil`, with a printed word, when it is not installed.
    ///
    /// - Throws: ``Missing`` when witnesses are required.
    public static func find(_ name: String) throws -> Witness? {
        for folder in ["/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin", "/usr/lib/systemd"] {
            let path = folder + "/" + name
            if FileManager.default.isExecutableFile(atPath: path) { return Witness(path: path) }
        }
        if areRequired { throw Missing(name: name) }
        print("skipped: \(name) is not installed (make packages installs it)")
        return nil
    }

    /// The program of this name when it is installed: one that no package of Debian has, and that is never required.
    public static func ifInstalled(_ name: String) -> Witness? {
        for folder in ["/usr/bin", "/usr/local/bin"]
        where FileManager.default.isExecutableFile(atPath: folder + "/" + name) {
            return Witness(path: folder + "/" + name)
        }
        print("skipped: \(name) is not installed")
        return nil
    }

    /// A witness that is required and absent.
    public struct Missing: Error, CustomStringConvertible {
        let name: String
        public var description: String { "\(name) is not installed; make packages installs it" }
    }

    /// What a program printed, and how it ended.
    public struct Testimony: Sendable {
        public let status: Int32
        public let output: [UInt8]
        public let errors: String
        public var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs the program to its end; its input stays below a pipe's capacity in our tests.
    public func run(
        _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:], directory: String? = nil
    ) throws -> Testimony {
        let ended = try ChildProcess.run(
            path, arguments, input: input, environment: environment, directory: directory)
        return Testimony(status: ended.status, output: ended.output, errors: ended.errors)
    }
}

/// A directory that is gone when the value is.
public final class TemporaryDirectory: Sendable {
    public let path: String

    /// A fresh directory, only for this user.
    public init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "carnet-" + UUID().uuidString.prefix(13))
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    public func write(_ bytes: [UInt8], _ name: String) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    /// Writes a file that nobody but its owner may read, and returns its path.
    public func writeSecret(_ bytes: [UInt8], _ name: String) throws -> String {
        let file = try write(bytes, name)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        return file
    }

    /// Reads a file.
    public func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path + "/" + name)))
    }
}
