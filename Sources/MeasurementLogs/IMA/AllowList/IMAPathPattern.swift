/// A pattern over whole names: `*` is any bytes but `/`, `**` any bytes, `?` one byte but `/`; every other byte is itself.
///
/// It must match from the first byte to the last. Matching takes a bounded number of steps for each byte of the name, whatever the
/// pattern and the name are: all places where the pattern may be are kept at once, as bits.
public struct IMAPathPattern: Sendable, Hashable, CustomStringConvertible {
    /// The pattern as it was written.
    public let description: String
    /// Whether it would match every path: it has nothing but wildcards and slashes.
    public let isUnrestricted: Bool

    /// Bit i is set when the token i is what the name says.
    private let single: Places
    private let star: Places
    private let doubleStar: Places
    /// The places of each byte that the pattern spells, and at which place of this list a byte's are; 0 is nowhere.
    private let spelled: [Places]
    private let indices: [UInt8]
    private let end: Int

    /// At most 255 tokens; `nil` for an empty or longer pattern, and for three stars in a row.
    public init?(_ pattern: String) {
        let bytes = Array(pattern.utf8)
        var single = Places(), star = Places(), doubleStar = Places()
        var spelled = [Places()], indices = [UInt8](repeating: 0, count: 256)
        var token = 0, position = 0, isUnrestricted = true
        while position < bytes.count {
            guard token < Places.maximumCount - 1 else { return nil }
            let byte = bytes[position]
            position += 1
            switch byte {
            case 0x2A:
                let isDouble = position < bytes.count && bytes[position] == 0x2A
                if isDouble { position += 1 }
                guard position >= bytes.count || bytes[position] != 0x2A else { return nil }
                star.insert(token)
                if isDouble { doubleStar.insert(token) }
            case 0x3F: single.insert(token)
            case 0: return nil
            default:
                if indices[Int(byte)] == 0 {
                    indices[Int(byte)] = UInt8(truncatingIfNeeded: spelled.count)
                    spelled.append(Places())
                }
                spelled[Int(indices[Int(byte)])].insert(token)
                if byte != 0x2F { isUnrestricted = false }
            }
            token += 1
        }
        guard token > 0 else { return nil }
        description = pattern
        self.isUnrestricted = isUnrestricted
        self.single = single
        self.star = star
        self.doubleStar = doubleStar
        self.spelled = spelled
        self.indices = indices
        end = token
    }

    /// Whether the whole name is what the pattern says.
    public func matches(_ name: some Sequence<UInt8>) -> Bool {
        var places = Places()
        places.insert(0)
        places.formUnion(places.intersection(star).advanced())
        for byte in name {
            var next = places.intersection(spelled[Int(indices[Int(byte)])])
            if byte != 0x2F { next.formUnion(places.intersection(single)) }
            next = next.advanced()
            // A star stays where it is; what stands at a star stands behind it, too.
            next.formUnion(places.intersection(byte == 0x2F ? doubleStar : star))
            next.formUnion(next.intersection(star).advanced())
            if next.isEmpty { return false }
            places = next
        }
        return places.contains(end)
    }
}

/// A set of numbers from 0 to 255, held in place.
private struct Places: Sendable, Hashable {
    static let maximumCount = 256
    private var words = SIMD4<UInt64>()

    var isEmpty: Bool { words == SIMD4() }

    mutating func insert(_ place: Int) { words[place >> 6] |= 1 << UInt64(place & 63) }

    func contains(_ place: Int) -> Bool { words[place >> 6] & (1 << UInt64(place & 63)) != 0 }

    mutating func formUnion(_ other: Places) { words |= other.words }

    func intersection(_ other: Places) -> Places {
        var result = self
        result.words &= other.words
        return result
    }

    /// Every number plus one; 255 is dropped.
    func advanced() -> Places {
        var result = self
        let carry = words &>> 63
        result.words = (words &<< 1) | SIMD4(0, carry[0], carry[1], carry[2])
        return result
    }
}
