/// The parameters of a URI's query, each named once.
public struct QueryParameters: Sendable, Hashable {
    private let values: [String: String]

    /// Reads `name=value` pairs between `&`. Percent-encoding is undone once; `+` is itself.
    ///
    /// - Throws: ``Problem`` for a parameter that occurs twice, for bad percent-encoding, and for more than 4096 bytes.
    init(parsing query: String?) throws(Problem) {
        guard let query, !query.isEmpty else {
            values = [:]
            return
        }
        guard query.utf8.count <= 4096 else { throw .malformed("The query is longer than 4096 bytes.") }
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = Self.decode(parts.count == 2 ? parts[1] : "") else {
                throw .malformed("The query has bad percent-encoding.", member: "?")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .malformed("A parameter occurs twice.", member: "?" + name)
            }
        }
        self.values = values
    }

    /// The value of a parameter, or `nil` when the query does not have it.
    public subscript(_ name: String) -> String? { values[name] }

    /// Refuses parameters that the route does not know: a misspelt one must not silently do nothing.
    public func requireOnly(_ known: Set<String>) throws(Problem) {
        if let other = values.keys.filter({ !known.contains($0) }).min() {
            throw .malformed(
                "There is no such parameter; this call knows \(known.sorted().joined(separator: ", ")).",
                member: "?" + other)
        }
    }

    private static func decode(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16), high != UInt8(ascii: "+")
            else { return nil }
            bytes.append(value)
        }
        // No name and no value has a zero byte, and a database may take it for an end.
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }
}
