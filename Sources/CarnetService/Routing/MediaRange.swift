/// A media type, or a range of them, with the weight that a client gives it (RFC 9110 §12.5.1).
struct MediaRange: Sendable, Hashable {
    /// In lower case; `*` for any.
    let type: String
    /// In lower case; `*` for any, and always when the type is.
    let subtype: String
    /// By name in lower case. `charset` is left out: JSON and tokens have none.
    let parameters: [String: String]
    /// In thousandths, 0 to 1000; 0 means "not this".
    let weight: Int

    /// The longest list that is looked at, in bytes.
    private static let maximumByteCount = 2048
    /// The most ranges that are looked at.
    private static let maximumCount = 32

    /// The ranges of a list between commas. An element that cannot be read is left out, for it asks for nothing that is known; of a list that is
    /// too long nothing is read.
    static func list(_ text: String) -> [MediaRange] {
        guard text.utf8.count <= maximumByteCount else { return [] }
        let elements = split(text.utf8[...], at: UInt8(ascii: ","))
        guard elements.count <= maximumCount else { return [] }
        return elements.compactMap(MediaRange.init(parsing:))
    }

    /// Reads one range, as in `application/eat+jwt; eat_profile="…"; q=0.5`.
    init?(parsing text: String) { self.init(parsing: text.utf8[...]) }

    private init?(parsing text: Substring.UTF8View) {
        var parts = Self.split(text, at: UInt8(ascii: ";")).map(Self.trimmed)
        let names = parts.removeFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard names.count == 2, let type = Self.token(names[0]), let subtype = Self.token(names[1]),
            type != "*" || subtype == "*"
        else { return nil }
        var parameters: [String: String] = [:]
        var weight: Int?
        for part in parts where !part.isEmpty {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let name = Self.token(pair[0]), let value = Self.value(pair[1]) else { return nil }
            // What follows the weight belongs to no media type.
            if weight != nil { continue }
            if name == "q" {
                guard let read = Self.weight(pair[1]) else { return nil }
                weight = read
            } else if parameters.updateValue(value, forKey: name) != nil {
                return nil
            }
        }
        parameters["charset"] = nil
        self.type = type
        self.subtype = subtype
        self.parameters = parameters
        self.weight = weight ?? 1000
    }

    /// How closely the range names a type: 0 for `*/*`, more for every part that it gives; `nil` when it does not cover it.
    func closeness(to offer: MediaRange) -> Int? {
        guard type == "*" || type == offer.type, subtype == "*" || subtype == offer.subtype else { return nil }
        for (name, value) in parameters where offer.parameters[name]?.lowercased() != value.lowercased() { return nil }
        return (type == "*" ? 0 : 1) + (subtype == "*" ? 0 : 1) + parameters.count
    }

    /// The parts between separators that stand outside of quoted strings.
    private static func split(_ text: Substring.UTF8View, at separator: UInt8) -> [Substring.UTF8View] {
        var parts: [Substring.UTF8View] = []
        var start = text.startIndex
        var isQuoted = false, isEscaped = false
        for index in text.indices {
            let byte = text[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == separator, !isQuoted {
                parts.append(text[start..<index])
                start = text.index(after: index)
            }
        }
        return parts + [text[start...]]
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text
        func isSpace(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        while isSpace(text.first) { text = text.dropFirst() }
        while isSpace(text.last) { text = text.dropLast() }
        return text
    }

    /// A token (RFC 9110 §5.6.2) in lower case.
    private static func token(_ text: Substring.UTF8View) -> String? {
        guard !text.isEmpty, text.allSatisfy(isTokenByte) else { return nil }
        return String(Substring(text)).lowercased()
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// A parameter's value: a token, or a quoted string (RFC 9110 §5.6.4) without its quotation marks.
    private static func value(_ text: Substring.UTF8View) -> String? {
        guard text.first == UInt8(ascii: "\"") else {
            return token(text).map { _ in String(Substring(text)) }
        }
        var bytes: [UInt8] = []
        var rest = text.dropFirst()
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return rest.isEmpty ? String(validating: bytes, as: UTF8.self) : nil
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                bytes.append(escaped)
            default: bytes.append(byte)
            }
        }
        return nil
    }

    /// `0` to `1` with at most three decimal places, in thousandths.
    private static func weight(_ text: Substring.UTF8View) -> Int? {
        guard let first = text.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1") else { return nil }
        var rest = text.dropFirst()
        var weight = Int(first - UInt8(ascii: "0")) * 1000
        if let dot = rest.popFirst() {
            guard dot == UInt8(ascii: "."), rest.count <= 3 else { return nil }
            for (digit, place) in zip(rest, [100, 10, 1]) {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
                weight += Int(digit - UInt8(ascii: "0")) * place
            }
        }
        return weight <= 1000 ? weight : nil
    }
}
