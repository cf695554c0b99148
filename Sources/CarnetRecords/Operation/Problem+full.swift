package import CarnetService

extension Problem {
    /// As many are stored as may be: 409, and what to do.
    package static func full(_ what: String, _ count: Int) -> Problem {
        .conflict(
            "too-many", title: "There are too many", "There are \(count) \(what), as many as may be: remove one first.")
    }
}
