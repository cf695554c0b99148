/// From when and until when a value counts. Outside of its window it is as if it were not in the set.
public struct ReferenceWindow: Sendable, Hashable {
    /// The first second in which the value counts; `nil` for always before.
    public let from: ReferenceTime?
    /// The first second in which it no longer counts; `nil` for always after.
    public let until: ReferenceTime?

    /// No bounds.
    public static let always = ReferenceWindow()

    private init() {
        from = nil
        until = nil
    }

    /// A window; `nil` when it ends before it begins, or is empty.
    public init?(from: ReferenceTime?, until: ReferenceTime?) {
        if let from, let until, from >= until { return nil }
        self.from = from
        self.until = until
    }

    /// Whether a value counts at a time, in seconds since 1970-01-01T00:00:00Z.
    public func isInForce(at seconds: Int64) -> Bool {
        if let from, seconds < from.seconds { return false }
        if let until, seconds >= until.seconds { return false }
        return true
    }
}
