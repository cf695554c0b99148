import Foundation

extension Output {
    /// A table that is printed as its rows come. Its columns are as wide as what came so far wants.
    package struct Table {
        private let headings: [String]
        private var widths: [Int]?

        /// A table of which nothing is printed yet.
        package init(headings: [String]) { self.headings = headings }

        /// Whether it has no row. Then its headings were not printed either.
        package var isEmpty: Bool { widths == nil }

        /// Prints rows, the first of them under the headings.
        package mutating func add(_ rows: [[String]]) {
            guard !rows.isEmpty else { return }
            let rows = ((isEmpty ? [headings] : []) + rows).map { $0.map(\.printableLine) }
            let widths = headings.indices.map { column in
                max(self.widths?[column] ?? 0, rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0)
            }
            for row in rows {
                let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
                line(String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()))
            }
            self.widths = widths
        }
    }

    /// A JSON array that is printed as its elements come, byte for byte as ``json(_:)`` prints a whole one.
    package struct JSONList {
        private var isBegun = false

        /// An array of which nothing is printed yet.
        package init() {}

        /// Prints elements.
        package mutating func add(_ elements: [some Encodable]) throws {
            for element in elements {
                // No string of JSON has the end of a line in it.
                let lines = try text(of: element).split(separator: "\n", omittingEmptySubsequences: false)
                part((isBegun ? ",\n" : "[\n") + lines.map { "  " + $0 }.joined(separator: "\n"))
                isBegun = true
            }
        }

        /// Prints its end.
        package mutating func end() { json(text: isBegun ? "\n]" : "[\n\n]") }
    }
}
