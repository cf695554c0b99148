internal import StrictEncoding

/// When a reference value counts: from one moment on, and until another. Values for an update can be written down before it, and old ones
/// retire by themselves. Outside of its window a value is as if it were not there.
public struct ValidityWindow: Sendable, Hashable {
    /// Seconds since 1970 from which it counts; `nil` for ever since.
    public let from: Int64?
    /// Seconds since 1970 at which it no longer counts; `nil` for ever.
    public let until: Int64?

    /// Without an end on either side.
    public static let always = ValidityWindow()

    private init() {
        from = nil
        until = nil
    }

    /// A window; `nil` when it ends before it begins, or is empty.
    public init?(from: Int64?, until: Int64?) {
        if let from, let until, from >= until { return nil }
        self.from = from
        self.until = until
    }

    /// Whether a moment is in it: its beginning is, its end is not.
    public func contains(_ time: Int64) -> Bool {
        time >= from ?? .min && (until.map { time < $0 } ?? true)
    }

    /// Reads `2026-12-01` or `2026-12-01T08:30:00Z` (RFC 3339, UTC) as seconds since 1970; `nil` for anything else, and for days that no
    /// calendar has.
    static func time(_ text: String) -> Int64? {
        RFC3339.parse(text.utf8.count == 10 ? text + "T00:00:00Z" : text)
    }
}
