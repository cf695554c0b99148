internal import MeasurementLogs
internal import PolicyDocument

extension MappingReader {
    /// Patterns over texts, each of which has to say something.
    mutating func optionalPatterns(_ name: String) throws(PolicyError) -> [IMAPathPattern] {
        var patterns: [IMAPathPattern] = []
        for text in try optionalTexts(name) {
            guard let pattern = IMAPathPattern(text), !pattern.isUnrestricted else {
                throw error(name, "has a pattern that is empty, too long, or matches everything")
            }
            // Each text is compared with each pattern.
            guard patterns.count < 256 else { throw error(name, "has more than 256 patterns") }
            patterns.append(pattern)
        }
        return patterns
    }
}
