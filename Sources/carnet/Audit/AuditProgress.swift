import Foundation

/// Says on a terminal how far a long work is; nothing where standard error is a file.
final class AuditProgress {
    private let word: String
    private let isShown = isatty(STDERR_FILENO) == 1
    private var count = 0

    init(_ word: String) { self.word = word }

    /// One more entry.
    func step() {
        count += 1
        guard isShown, count % 10_000 == 0 else { return }
        try? FileHandle.standardError.write(contentsOf: Data("\(count) entries \(word)\n".utf8))
    }
}
