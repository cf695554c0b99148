import CarnetService
package import Logging
import Synchronization

/// Collects lines instead of writing them.
package final class LogLines: Sendable {
    private let lines = Mutex<[[UInt8]]>([])

    /// No lines.
    package init() {}

    /// The lines as text.
    package var text: [String] { lines.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }

    /// A logger that collects entries of a level and above.
    package func logger(_ level: Logger.Level = .info) -> Logger {
        Logger(label: "test") { label in
            var handler = JSONLinesLogHandler(label: label, now: { 0 }) { line in
                self.lines.withLock { $0.append(line) }
            }
            handler.logLevel = level
            return handler
        }
    }
}
