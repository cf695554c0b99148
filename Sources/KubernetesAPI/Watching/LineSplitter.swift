/// Cuts a stream of bytes into lines, none longer than a bound.
struct LineSplitter {
    let maximumByteCount: Int
    private var rest: [UInt8] = []

    init(maximumByteCount: Int) { self.maximumByteCount = maximumByteCount }

    /// The lines that end in these bytes, without their ends.
    ///
    /// - Throws: ``KubernetesError`` for a line that is too long.
    mutating func add(_ bytes: some Collection<UInt8>) throws(KubernetesError) -> [ArraySlice<UInt8>] {
        // What was looked at already holds no end of a line.
        var start = 0, next = rest.count
        rest += bytes
        var lines: [ArraySlice<UInt8>] = []
        while let end = rest[next...].firstIndex(of: 0x0A) {
            if end > start { lines.append(rest[start..<end]) }
            start = end + 1
            next = start
        }
        rest.removeFirst(start)
        guard rest.count <= maximumByteCount, lines.allSatisfy({ $0.count <= maximumByteCount }) else {
            throw KubernetesError(.unreadable, "an event of a watch has more than \(maximumByteCount) bytes")
        }
        return lines
    }
}
