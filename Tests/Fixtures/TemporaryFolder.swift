import Foundation

/// A place for files that tests make. It is removed when the test process ends.
public enum TemporaryFolder {
    /// A path in it that nothing else uses and where nothing is yet.
    public static func path(_ name: String) -> String { root + "/\(name)-\(UUID().uuidString.prefix(8))" }

    /// A new folder in it.
    public static func make(_ name: String) throws -> String {
        let path = path(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static let root: String = {
        let path = rootPath
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: TemporaryFolder.rootPath) }
        return path
    }()

    private static var rootPath: String {
        FileManager.default.temporaryDirectory.appending(
            path: "carnet-tests-\(ProcessInfo.processInfo.processIdentifier)"
        )
        .path
    }
}
