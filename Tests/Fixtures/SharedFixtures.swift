import Foundation

/// Evidence of real machines, kept beside the checkout and never inside it.
///
/// The folder is `../shared` seen from the package's root, or what `CARNET_SHARED` names. Tests that need it carry the
/// trait `.enabled(if: SharedFixtures.areAvailable, SharedFixtures.skipReason)` and so say that they skip.
public enum SharedFixtures {
    /// Whether the folder exists on this machine.
    public static var areAvailable: Bool {
        FileManager.default.fileExists(atPath: root.appending(path: "fixtures").path)
    }

    /// What a skipped test prints.
    public static let skipReason = "skipped: ../shared/fixtures is absent (set CARNET_SHARED to its parent folder)"

    /// The bytes of one file, its path relative to the shared folder, as in `fixtures/tcg-eventlog/keylime/mb_log.bin`.
    public static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: path)))
    }

    /// The absolute path of one file or folder.
    public static func path(_ path: String) -> String { root.appending(path: path).path }

    private static let root: URL = {
        if let named = ProcessInfo.processInfo.environment["CARNET_SHARED"] { return URL(filePath: named) }
        return URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "shared")
    }()
}
