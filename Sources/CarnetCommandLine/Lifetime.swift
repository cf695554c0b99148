import ArgumentParser

/// How long something is to last, as it is typed: `90d`, `12h`, `30m`, `45s`.
package struct Lifetime: Sendable, Hashable {
    /// At least 1, at most a hundred years.
    package let seconds: Int64

    /// A number and its unit; `nil` for anything else.
    package init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let last = argument.last, let unit = units[last] else { return nil }
        let digits = argument.dropLast()
        guard (1...10).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(digits), (1...Self.maximum / unit).contains(number)
        else { return nil }
        seconds = number * unit
    }

    /// The same for an option's value.
    ///
    /// - Throws: `ValidationError` that says how it is written.
    @Sendable package static func reading(_ argument: String) throws -> Lifetime {
        if let lifetime = Lifetime(argument: argument) { return lifetime }
        let isNumber = !argument.isEmpty && argument.utf8.allSatisfy { (0x30...0x39).contains($0) }
        let hint = isNumber ? " (\(argument)d is days)" : ""
        throw ValidationError("A lifetime is a number and its unit: 45s, 30m, 12h or 90d\(hint).")
    }

    private static let maximum: Int64 = 36_525 * 86_400
}
