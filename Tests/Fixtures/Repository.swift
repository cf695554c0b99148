import Foundation

/// Files of the checkout that tests hold against the programs.
public enum Repository {
    /// The absolute path of a file, its path relative to the package's root.
    public static func path(_ path: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: path).path
    }

    /// A file's text.
    public static func text(_ path: String) throws -> String {
        try String(contentsOfFile: self.path(path), encoding: .utf8)
    }
}
