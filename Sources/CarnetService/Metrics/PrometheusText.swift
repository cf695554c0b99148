/// The text in which Prometheus reads metrics: exposition format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
public enum PrometheusText {
    /// Its media type.
    public static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// Everything that a registry knows. A family without a series is announced all the same.
    public static func render(_ registry: MetricRegistry) -> [UInt8] {
        var text = ""
        for (family, series) in registry.snapshot() {
            text += "# HELP \(family.name) \(escape(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(word(family.kind))\n"
            for one in series { write(one, of: family, to: &text) }
        }
        return Array(text.utf8)
    }

    private static func write(_ series: MetricSeries, of family: MetricFamily, to text: inout String) {
        let labels = Array(zip(family.labels, series.labels)), numbers = series.numbers
        guard case .histogram(let bounds) = family.kind else {
            text += "\(family.name)\(braces(labels)) \(number(numbers.value))\n"
            return
        }
        var count: UInt64 = 0
        for (bound, bucket) in zip(bounds, numbers.buckets) {
            count &+= bucket
            text += "\(family.name)_bucket\(braces(labels + [("le", number(bound))])) \(count)\n"
        }
        text += "\(family.name)_bucket\(braces(labels + [("le", "+Inf")])) \(numbers.count)\n"
        text += "\(family.name)_sum\(braces(labels)) \(number(numbers.value))\n"
        text += "\(family.name)_count\(braces(labels)) \(numbers.count)\n"
    }

    private static func word(_ kind: MetricFamily.Kind) -> String {
        switch kind {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }

    private static func braces(_ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0)=\"\(escape($1, quotes: true))\"" }.joined(separator: ",") + "}"
    }

    /// Whole numbers without a fraction, others as Swift writes them, which Go reads.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? "\(value)"
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
