/// When a reference value counts: from one moment on, and until another. Values for an update can be written down before it, and old ones
/// retire by themselves.
public struct ValidityWindow: Sendable, Hashable {
    /// Seconds since 1970 from which it counts; `nil` for ever since.
    public let from: Int64?
    /// Seconds since 1970 at which it no longer counts; `nil` for ever.
    public let until: Int64?

    /// Without an end on either side.
    public static let always = ValidityWindow(from: nil, until: nil)

    /// A window.
    public init(from: Int64?, until: Int64?) {
        self.from = from
        self.until = until
    }

    /// Whether a moment is in it: its beginning is, its end is not.
    public func contains(_ time: Int64) -> Bool {
        time >= from ?? .min && time < until ?? .max
    }

    /// Reads `2026-12-01` or `2026-12-01T08:30:00Z` (RFC 3339, UTC) as seconds since 1970; `nil` for anything else, and for days that no
    /// calendar has.
    static func time(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 10 || bytes.count == 20 else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard bytes[4] == 0x2D, bytes[7] == 0x2D, let year = number(0..<4), let month = number(5..<7),
            let day = number(8..<10), year >= 1970, (1...12).contains(month), day >= 1,
            day <= Self.days(in: month, of: year)
        else { return nil }
        let date = Self.daysSince1970(year, month, day) * 86_400
        guard bytes.count == 20 else { return date }
        guard bytes[10] == 0x54, bytes[13] == 0x3A, bytes[16] == 0x3A, bytes[19] == 0x5A, let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), hour < 24, minute < 60, second < 60
        else { return nil }
        return date + hour * 3600 + minute * 60 + second
    }

    private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        var days = (1970..<year).reduce(Int64(0)) { $0 + (isLeap($1) ? 366 : 365) }
        for earlier in 1..<month { days += Self.days(in: earlier, of: year) }
        return days + day - 1
    }
}
