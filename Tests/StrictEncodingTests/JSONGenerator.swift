/// Random JSON texts and damaged ones, the same in every run.
struct JSONGenerator {
    private var state: UInt64
    /// Whether the text that is being made has parts that are not JSON.
    private var isHostile = false

    init(seed: UInt64) { state = seed }

    /// The next number of SplitMix64, below `bound`.
    mutating func number(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }

    mutating func pick(_ choices: [String]) -> String { choices[number(below: choices.count)] }

    /// An object or array; every second one has parts that are not JSON.
    mutating func document() -> [UInt8] {
        isHostile = number(below: 2) == 0
        return Array((space() + container(depth: 0) + space()).utf8)
    }

    /// A few bytes changed, inserted, removed, doubled or moved.
    mutating func damage(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...number(below: 3) where !bytes.isEmpty {
            let place = number(below: bytes.count)
            switch number(below: 6) {
            case 0: bytes[place] ^= 1 << UInt8(number(below: 8))
            case 1: bytes.insert(Self.telling[number(below: Self.telling.count)], at: place)
            case 2: bytes.remove(at: place)
            case 3: bytes.removeLast(number(below: 4) % bytes.count)
            case 4: bytes[place] = Self.telling[number(below: Self.telling.count)]
            default: bytes.insert(contentsOf: bytes[place..<min(place + 9, bytes.count)], at: place)
            }
        }
        return bytes
    }

    private static let telling: [UInt8] =
        Array(#"{}[],:"\/0123456789-+.eEutfnab "#.utf8) + [
            0, 9, 10, 13, 0x1F, 0x7F, 0x80, 0xBF, 0xC0, 0xC2, 0xE0, 0xED,
        ]
        + [0xEF, 0xF0, 0xF4, 0xF5, 0xFF]

    /// One of the choices, or of the wrong ones once in a while where the text may have them.
    private mutating func pick(_ choices: [String], wrong: [String]) -> String {
        pick(isHostile && number(below: 12) == 0 ? wrong : choices)
    }

    private mutating func space() -> String { pick(["", "", "", "", " ", "\n", "\t\r "], wrong: ["\u{B}", "\u{A0}"]) }

    private mutating func container(depth: Int) -> String {
        let count = number(below: 12) == 0 ? 20 : number(below: 5)
        if number(below: 3) == 0 {
            let elements = (0..<count).map { _ in space() + value(depth: depth + 1) + space() }
            return "[" + elements.joined(separator: ",") + "]"
        }
        let members = (0..<count).map { _ in
            space() + string() + space() + ":" + space() + value(depth: depth + 1) + space()
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private mutating func value(depth: Int) -> String {
        switch number(below: 8) {
        case 0, 1: return string()
        case 2, 3: return numeral()
        case 4: return pick(["true", "false", "null"])
        default: return depth < 9 ? container(depth: depth) : "1"
        }
    }

    private mutating func string() -> String {
        let parts = (0..<number(below: 6)).map { _ in
            pick(
                [
                    "a", "b", "iss", "12345678", "\\n", "\\\"", "\\\\", "\\/", "\\u0061", "\\u00e9", "\\uD83D\\uDE00",
                    "é", "\u{1F600}",
                    "\u{FFFF}", "\u{7F}", "\\uFFFF", "\\b\\f\\r\\t", "long and plain text ",
                ], wrong: ["\\ud83d", "\\uDE00", "\\u0000", "\\x", "\"", "\n"])
        }
        return "\"" + parts.joined() + "\""
    }

    private mutating func numeral() -> String {
        pick(
            [
                "0", "-0", "1", "-1", "17", "1.0", "-0.0", "1e3", "1E+3", "1e-3", "9223372036854775807",
                "-9223372036854775808", "1e308", "1e-400",
                "4.9e-324", "2.2250738585072011e-308", "0.1", "123456789012345678901234567890.0", "0e1",
                "\(number(below: 1 << 40)).\(number(below: 1 << 40))",
                "\(number(below: 1 << 62))e-\(number(below: 300))", "-\(number(below: 1 << 62))",
            ],
            wrong: [
                "01", "1.", ".5", "1e", "-", "+1", "9223372036854775808", "-9223372036854775809", "1e309", "-1e400",
                "123456789012345678901234567890",
                "0x10", "1_0",
            ])
    }
}
