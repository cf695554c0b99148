package import CarnetService

/// A part of a list that grows with the fleet or with time: what one answer holds, and where the next begins.
package struct Page<Element: Sendable>: Sendable {
    /// The elements, in the order of the list.
    package let elements: [Element]
    /// What names the last of them, for whoever wants those behind it; `nil` at the list's end.
    package let next: String?

    /// A page of what was read.
    ///
    /// - Parameters:
    ///   - rows: One more than `limit` where there is more.
    ///   - name: What names an element.
    package init(_ rows: [Element], limit: Int, _ name: (Element) throws -> String) rethrows {
        elements = Array(rows.prefix(limit))
        next = rows.count > limit ? try elements.last.map(name) : nil
    }

    private init(elements: [Element], next: String?) {
        self.elements = elements
        self.next = next
    }

    /// The same page of other values; what has none is left out, and ends nothing.
    package func compactMap<Other>(_ body: (Element) throws -> Other?) rethrows -> Page<Other> {
        Page<Other>(elements: try elements.compactMap(body), next: next)
    }
}

/// Which part of a list somebody asks for: `?after=…&limit=…`.
package struct PageRequest: Sendable, Hashable {
    /// What the page before named as its `next`; `nil` for the first.
    package let after: String?
    /// The most elements: 1 to ``maximumLimit``.
    package let limit: Int

    /// The most elements of one page.
    package static let maximumLimit = 1000

    /// A part of a list.
    package init(after: String? = nil, limit: Int = 100) {
        self.after = after
        self.limit = min(max(limit, 1), Self.maximumLimit)
    }

    /// Reads the parameters of a query.
    ///
    /// - Parameter others: The other parameters that the call has.
    /// - Throws: ``Problem`` for a parameter that the call does not have, and for a limit out of its range.
    package init(_ query: QueryParameters, beside others: Set<String> = []) throws(Problem) {
        try query.requireOnly(others.union(["after", "limit"]))
        let text = query["limit"] ?? "100"
        guard let limit = Int(text), (1...Self.maximumLimit).contains(limit) else {
            throw .malformed("A number from 1 to \(Self.maximumLimit) is needed.", member: "?limit")
        }
        self.init(after: query["after"], limit: limit)
    }

    /// How many rows to read: one more than asked for tells whether there are more.
    package var rowCount: Int64 { Int64(limit) + 1 }
}
