import Foundation

/// A LUKS2 volume in a file, made by cryptsetup, with a key of its own.
public struct TestVolume: Sendable {
    public let path: String
    /// The key of its first keyslot, and the file that holds it.
    public let key: [UInt8]
    public let keyFile: String
    private static let cryptsetup = Program(path: "/usr/sbin/cryptsetup")

    /// Whether cryptsetup is installed. Tests that need it say that they skip.
    public static var isPossible: Bool { FileManager.default.isExecutableFile(atPath: cryptsetup.path) }

    /// A new volume in a folder.
    public init(in folder: TemporaryDirectory, _ name: String = "volume") async throws {
        key = (0..<32).map { _ in UInt8.random(in: 0...255) }
        path = folder.path + "/\(name).img"
        keyFile = try folder.write(key, name + ".key")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile)
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.truncate(atOffset: 20 << 20)
        try file.close()
        try await run(
            [
                "luksFormat", "--batch-mode", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations",
                "1000",
                path, keyFile,
            ])
    }

    /// What cryptsetup said instead of doing it.
    public struct Failed: Error {
        public let errors: String
    }

    /// Runs cryptsetup.
    @discardableResult
    public func run(_ arguments: [String], input: [UInt8] = []) async throws -> String {
        let ending = try await Self.cryptsetup.run(arguments, input: input)
        guard ending.status == 0 else { throw Failed(errors: ending.errors) }
        return ending.text
    }

    /// Whether a key opens it.
    public func opens(with key: [UInt8]) async throws -> Bool {
        let arguments = ["open", "--test-passphrase", "--key-file", "-", path]
        return try await Self.cryptsetup.run(arguments, input: key).status == 0
    }

    /// The first bytes: both copies of its header.
    public var header: [UInt8] {
        get throws {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }
            return [UInt8](try file.read(upToCount: 32_768) ?? Data())
        }
    }

    /// Writes over its first bytes.
    public func overwrite(_ header: [UInt8]) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.write(contentsOf: Data(header))
        try file.close()
    }
}
