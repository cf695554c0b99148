/// Finds the byte at which an entry of the kernel's IMA list begins, while the list is read in pieces, without keeping them.
///
/// It reads lengths only, little-endian: what the entries say is the verifier's to read. Source: Linux, `ima_measurements_show` in
/// `security/integrity/ima/ima_fs.c`.
package struct IMAEntryWalker {
    /// How many entries are still to be passed.
    package private(set) var entriesLeft: Int
    /// Whether something came that no kernel writes; nothing is passed from there on.
    package private(set) var isLost = false

    /// The first bytes of the entry that is being read, up to those that tell its length.
    private var head: [UInt8] = []
    /// How long ``head`` has to be for the next look at it.
    private var headByteCount = IMAEntryWalker.fixedByteCount
    /// The bytes of the entry behind ``head`` that are still to be passed.
    private var bytesLeft = 0

    /// PCR, digest, and the length of the template's name.
    private static let fixedByteCount = 4 + 20 + 4
    private static let maximumNameByteCount = 255
    private static let maximumDataByteCount = 1 << 20

    /// A walk from the list's first entry over `count` entries.
    package init(passing count: Int) { entriesLeft = max(0, count) }

    /// Whether the next byte is the first of the entry that was looked for.
    package var hasArrived: Bool { entriesLeft == 0 && !isLost }

    /// Whether the last byte that was passed ended an entry.
    private var isBetweenEntries: Bool { head.isEmpty && bytesLeft == 0 && !isLost }

    /// Passes entries in a piece and returns what is behind them: empty until the entry that was looked for begins.
    package mutating func pass(_ piece: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = piece
        while entriesLeft > 0, !isLost, !rest.isEmpty {
            if bytesLeft > 0 {
                let count = min(bytesLeft, rest.count)
                rest = rest.dropFirst(count)
                bytesLeft -= count
            } else {
                let missing = headByteCount - head.count
                head += rest.prefix(missing)
                rest = rest.dropFirst(missing)
                guard head.count == headByteCount else { break }
                readHead()
            }
            if isBetweenEntries { entriesLeft -= 1 }
        }
        return isLost ? [] : rest
    }

    /// Looks at ``head`` when it is as long as was asked for: more of it is needed, or the entry's length is known.
    private mutating func readHead() {
        let nameByteCount = number(Self.fixedByteCount - 4), nameEnd = Self.fixedByteCount + nameByteCount
        guard (1...Self.maximumNameByteCount).contains(nameByteCount) else {
            isLost = true
            return
        }
        switch head.count {
        case Self.fixedByteCount: headByteCount = nameEnd
        case nameEnd:
            // The template `ima` has a digest and a name with its length; every other one has a length in front of its data.
            let isLegacy = head[Self.fixedByteCount...].elementsEqual("ima".utf8)
            headByteCount = nameEnd + (isLegacy ? 24 : 4)
        default:
            bytesLeft = number(head.count - 4)
            isLost = bytesLeft > Self.maximumDataByteCount
            head.removeAll(keepingCapacity: true)
            headByteCount = Self.fixedByteCount
        }
    }

    private func number(_ start: Int) -> Int {
        head[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
