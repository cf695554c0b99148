/// Numbers in the order in which they were put at the end. Each of the calls takes the same time, however many there are.
struct WaitingLine: Sendable {
    private struct Link {
        var previous: UInt64?
        var next: UInt64?
    }

    private var links: [UInt64: Link] = [:]
    private var last: UInt64?
    /// The one that has stood there longest.
    private(set) var first: UInt64?

    /// Whether nobody stands there.
    var isEmpty: Bool { links.isEmpty }

    /// Puts one at the end. It is not in the line yet.
    mutating func append(_ number: UInt64) {
        guard links[number] == nil else { return }
        links[number] = Link(previous: last, next: nil)
        if let last { links[last]?.next = number } else { first = number }
        last = number
    }

    /// Takes one out, wherever it stands; nothing happens when it is not there.
    mutating func remove(_ number: UInt64) {
        guard let link = links.removeValue(forKey: number) else { return }
        if let previous = link.previous { links[previous]?.next = link.next } else { first = link.next }
        if let next = link.next { links[next]?.previous = link.previous } else { last = link.previous }
    }
}
