/// Where an entry stands. As text, `<chain>.<number>`.
package struct LedgerPlace: Sendable, Hashable, CustomStringConvertible {
    /// The chain's name.
    package let chain: String
    /// The entry's number.
    package let number: Int64

    /// A place.
    package init(chain: String, number: Int64) {
        self.chain = chain
        self.number = number
    }

    /// Reads a place; `nil` for what is none.
    package init?(_ text: String) {
        guard text.utf8.count <= 96, let dot = text.lastIndex(of: "."),
            let number = Int64(text[text.index(after: dot)...]), number >= 0
        else { return nil }
        self.init(chain: String(text[..<dot]), number: number)
    }

    /// The text.
    package var description: String { "\(chain).\(number)" }
}
