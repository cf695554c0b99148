/// A time in UTC with whole seconds (RFC 3339), in the one spelling `2026-12-01T00:00:00Z`.
public struct ReferenceTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public let seconds: Int64
    /// The text.
    public let description: String

    /// The time that a text spells, of the years 1970 to 9999; `nil` for days that are not in the calendar, leap seconds, fractions,
    /// other zones and lower-case letters.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 else { return nil }
        for (index, byte) in bytes.enumerated() {
            switch index {
            case 4, 7: guard byte == UInt8(ascii: "-") else { return nil }
            case 10: guard byte == UInt8(ascii: "T") else { return nil }
            case 13, 16: guard byte == UInt8(ascii: ":") else { return nil }
            case 19: guard byte == UInt8(ascii: "Z") else { return nil }
            default: guard (0x30...0x39).contains(byte) else { return nil }
            }
        }
        func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
        let year = number(0..<4), month = number(5..<7), day = number(8..<10)
        let hour = number(11..<13), minute = number(14..<16), second = number(17..<19)
        guard year >= 1970, (1...12).contains(month), day >= 1, day <= Self.dayCount(month, year), hour < 24,
            minute < 60, second < 60
        else { return nil }
        seconds = Self.days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
        description = text
    }

    /// By the clock.
    public static func < (left: Self, right: Self) -> Bool { left.seconds < right.seconds }

    private static func isLeapYear(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func dayCount(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: isLeapYear(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let past = year - 1
        let leapDays = past / 4 - past / 100 + past / 400 - 477
        let months = (1..<month).reduce(0) { $0 + dayCount($1, year) }
        return (year - 1970) * 365 + leapDays + months + day - 1
    }
}
