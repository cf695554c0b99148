import StrictEncoding

/// Holds the two JSON readers against one another, for tests and for the fuzzer. jansson is the referee.
public enum JSONDifference {
    /// What is different between the readings of `bytes`, if anything is.
    public static func between(_ bytes: [UInt8], depth: Int = 8, values: Int = 1000) -> String? {
        let expected = Result { () throws(JSONError) in
            try JSONDocument(parsing: bytes, maximumByteCount: 65_536, maximumDepth: depth, maximumValueCount: values)
        }
        let found = Result { () throws(JSONError) in
            try IndexedJSON(parsing: bytes, maximumByteCount: 65_536, maximumDepth: depth, maximumValueCount: values)
        }
        switch (expected, found) {
        case (.failure, .failure): return nil
        case (.success, .failure(let error)): return "refused, but jansson reads it: \(error)"
        case (.failure(let error), .success): return "read, but jansson refuses it: \(error)"
        case (.success(let document), .success(let text)):
            let left = reading(document.root), right = reading(text.root)
            return left == right ? nil : "jansson reads \(left), the other \(right)"
        }
    }

    /// Everything that can be asked of a value, as text.
    private static func reading(_ node: some JSONReadable) -> String {
        var parts = [node.kind, "\(node.count)", node.integer.map(String.init) ?? "-"]
        parts.append(node.number.map { String($0.bitPattern) } ?? "-")
        parts.append(node.boolean.map(String.init) ?? "-")
        parts.append("\(node.isNull)\(node.isObject)\(node.isArray)\(node.isString)")
        parts.append(node.withStringBytes { "\(Array($0))" } ?? "-")
        if let text = node.string { parts.append("\(Array(text.utf8)) \(node.isString(equalTo: text))") }
        for (name, value) in node.members ?? [] {
            parts.append("\(Array(name.utf8)): \(reading(value)) \(node[name].map(reading) ?? "-")")
        }
        for value in node.elements ?? [] { parts.append(reading(value)) }
        return "(" + parts.joined(separator: " ") + ")"
    }
}
