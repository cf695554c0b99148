import CarnetRecords

/// Which status list: those tokens that expire within one hour share it, so that it can be retired when the hour is over.
///
/// Its name says when its tokens expire, which they say themselves, and nothing else. A list beyond the first of its hour is begun when
/// free indices of those before it become hard to hit.
package struct StatusListID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The hour in which its tokens expire, counted from 1970.
    package let hour: Int64
    /// Which of the hour's lists, from 0 to ``maximumNumber``.
    package let number: Int64

    /// The most lists of one hour, less one.
    package static let maximumNumber: Int64 = 63
    /// How many entries each list has: 1,048,576, one bit each. Its tokens hide among as many.
    package static let entryCount = 1 << 20
    /// How long after a token's expiry relying parties may still accept it because clocks differ, doubled.
    static let leeway = SigningKeySchedule.leeway
    /// How long before the first token refers to a list it is served, so that relying parties have it by then.
    static let lead = SigningKeySchedule.statusListLead
    private static let secondsPerHour: Int64 = 3600

    /// A list of an hour.
    package init(hour: Int64, number: Int64) {
        self.hour = hour
        self.number = number
    }

    /// Reads `<hour>-<number>`, decimal without leading zeros.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.utf8.count <= 16, parts.count == 2, let hour = Int64(parts[0]), let number = Int64(parts[1]),
            hour >= 0,
            (0...Self.maximumNumber).contains(number)
        else { return nil }
        self.init(hour: hour, number: number)
        guard description.utf8.elementsEqual(text.utf8) else { return nil }
    }

    /// `<hour>-<number>`, the last part of its URI.
    package var description: String { "\(hour)-\(number)" }

    /// Earlier hours first.
    package static func < (left: Self, right: Self) -> Bool { (left.hour, left.number) < (right.hour, right.number) }

    /// The list's name in tokens.
    package func uri(issuer: String) -> String { issuer + "/status-lists/" + description }

    /// The hour in which a time lies.
    static func hour(of time: Int64) -> Int64 { time / secondsPerHour }

    /// When the list retires, in seconds since 1970: all its tokens have expired for everybody.
    package var retiresAt: Int64 { (hour + 1) * Self.secondsPerHour + Self.leeway }

    /// The hours whose lists are served: those of tokens that live now or are issued soon, of any life that a token may have.
    static func liveHours(at now: Int64, longestLife: Int64) -> ClosedRange<Int64> {
        let first = hour(of: max(0, now - leeway))
        return first...max(first, hour(of: max(0, now) + longestLife + lead))
    }
}
