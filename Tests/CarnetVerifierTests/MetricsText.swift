/// Prometheus' text format 0.0.4, read strictly: each family is announced, in one piece, and each line means something.
struct MetricsText {
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// `counter`, `gauge` or `histogram` by family.
    private(set) var types: [String: String] = [:]
    /// Values by series, spelt as in the text.
    private(set) var series: [String: Double] = [:]

    init(parsing text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(description: "the last line does not end") }
        var family: String?, helped: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("# ") {
                let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
                guard words.count == 4, Self.isName(words[2]) else { throw Malformed(description: String(line)) }
                let name = String(words[2])
                switch words[1] {
                case "HELP" where types[name] == nil: (helped, family) = (name, nil)
                case "TYPE" where helped == name && types[name] == nil:
                    guard ["counter", "gauge", "histogram"].contains(words[3]) else {
                        throw Malformed(description: String(line))
                    }
                    (types[name], family) = (String(words[3]), name)
                default: throw Malformed(description: String(line))
                }
                continue
            }
            guard let family, let blank = line.lastIndex(of: " "), let value = Double(line[line.index(after: blank)...])
            else { throw Malformed(description: String(line)) }
            let key = line[..<blank], name = key.prefix { $0 != "{" }
            guard Self.isName(name), Self.belongs(String(name), to: family, types[family]),
                Self.areLabels(key[name.endIndex...])
            else { throw Malformed(description: String(line)) }
            guard series.updateValue(value, forKey: String(key)) == nil else {
                throw Malformed(description: "twice: \(key)")
            }
        }
        try checkNumbers()
    }

    /// The value of a series, 0 when it is not there.
    subscript(_ key: String) -> Double { series[key] ?? 0 }

    private func checkNumbers() throws {
        for (family, type) in types {
            let own = series.filter { $0.key == family || $0.key.hasPrefix(family + "{") }
            if type == "counter" {
                guard family.hasSuffix("_total"), own.values.allSatisfy({ $0 >= 0 }) else {
                    throw Malformed(description: family)
                }
            }
            guard type == "histogram" else { continue }
            for (key, count) in series where key.hasPrefix(family + "_count") {
                let labels = key.dropFirst(family.count + 6).dropFirst().dropLast()
                let start = family + "_bucket{" + (labels.isEmpty ? "" : labels + ",") + "le=\""
                let buckets = series.filter { $0.key.hasPrefix(start) }.map { key, value in
                    (Double(key.dropFirst(start.count).dropLast(2)) ?? .nan, value)
                }.sorted { $0.0 < $1.0 }
                guard buckets.last?.0 == .infinity, buckets.last?.1 == count,
                    zip(buckets, buckets.dropFirst()).allSatisfy({ $0.0 < $1.0 && $0.1 <= $1.1 })
                else { throw Malformed(description: "buckets of \(key)") }
            }
        }
    }

    private static func belongs(_ name: String, to family: String, _ type: String?) -> Bool {
        type == "histogram"
            ? ["_bucket", "_sum", "_count"].contains { name == family + $0 } : name == family
    }

    private static func isName(_ text: Substring) -> Bool {
        text.first?.isLetter == true && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
    }

    /// Nothing, or `{name="value",…}` with quotes, backslashes and line feeds escaped.
    private static func areLabels(_ text: Substring) -> Bool {
        guard !text.isEmpty else { return true }
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return false }
        var rest = text.dropFirst().dropLast()
        while true {
            guard let equals = rest.firstIndex(of: "="), isName(rest[..<equals]) else { return false }
            rest = rest[rest.index(after: equals)...]
            guard rest.popFirst() == "\"" else { return false }
            var isClosed = false
            while !isClosed, let character = rest.popFirst() {
                if character == "\"" { isClosed = true }
                if character == "\\", let next = rest.popFirst(), !"\\n\"".contains(next) { return false }
            }
            guard isClosed else { return false }
            guard let comma = rest.popFirst() else { return true }
            guard comma == "," else { return false }
        }
    }
}
