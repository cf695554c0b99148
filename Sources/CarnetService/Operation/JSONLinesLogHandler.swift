public import Logging
import StrictEncoding

/// Writes each log entry as one line of JSON. Whole numbers are numbers in it, everything else is text. Line breaks and control characters in a value are escaped, so that no caller
/// can write a line of its own.
public struct JSONLinesLogHandler: LogHandler {
    /// The least level that is written.
    public var logLevel: Logger.Level = .info
    /// What every entry of this logger carries.
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let now: @Sendable () -> Int64
    private let write: @Sendable (_ line: [UInt8]) -> Void

    /// A handler.
    ///
    /// - Parameters:
    ///   - now: The time in seconds since 1970.
    ///   - write: Takes one line, with its line feed, and may be called by many threads at once.
    public init(
        label: String, now: @escaping @Sendable () -> Int64, write: @escaping @Sendable (_ line: [UInt8]) -> Void
    ) {
        self.label = label
        self.now = now
        self.write = write
    }

    /// What entries carry under one key.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one entry.
    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let line = JSONWriter.object { writer in
            writer.string("time", RFC3339.format(now()))
            writer.string("level", event.level.rawValue)
            writer.string("logger", label)
            writer.string("message", "\(event.message)")
            for (key, value) in all.sorted(by: { $0.key < $1.key }) {
                if case .stringConvertible(let value) = value, let integer = value as? any BinaryInteger,
                    let number = Int64(exactly: integer)
                {
                    writer.integer(named: key, number)
                } else {
                    writer.string(named: key, String("\(value)".prefix(1024)))
                }
            }
        }
        write(line + [UInt8(ascii: "\n")])
    }
}
