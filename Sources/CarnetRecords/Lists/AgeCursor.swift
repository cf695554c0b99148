package import CarnetService

/// A place in a list that is sorted by age: `1763756077.9f86…`. It stays good when what it names is removed.
package struct AgeCursor: Sendable, Hashable, CustomStringConvertible {
    /// When the element was made, in seconds since 1970.
    package let time: Int64
    /// What tells it from others of the same second.
    package let key: String

    /// The place of an element.
    package init(_ time: Int64, _ key: String) {
        self.time = time
        self.key = key
    }

    /// Before everything.
    package static let start = AgeCursor(.min, "")

    /// Reads what ``description`` wrote; `nil` is the beginning.
    ///
    /// - Throws: ``Problem`` for anything else.
    package init(after text: String?) throws(Problem) {
        guard let text else {
            self = .start
            return
        }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let time = Int64(parts[0]), text.utf8.count <= 256 else {
            throw Self.unknown
        }
        self.init(time, String(parts[1]))
    }

    /// The answer to something else.
    package static let unknown = Problem.malformed(
        "What the page before named as its `next` is needed.", member: "?after")

    package var description: String { "\(time).\(key)" }
}
