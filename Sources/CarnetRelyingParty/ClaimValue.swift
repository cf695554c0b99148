internal import StrictEncoding

/// A value that a claim must have exactly: the same type and the same content. `1`, `1.0`, `"1"` and `true` are four values.
public enum ClaimValue: Sendable, Hashable {
    /// A text, compared byte by byte.
    case string(String)
    /// A number without fraction and exponent.
    case integer(Int64)
    /// A number with a fraction or an exponent.
    case number(Double)
    case boolean(Bool)
    case null

    /// Whether a node is this value.
    func isEqual(to node: some JSONReadable) -> Bool {
        switch self {
        case .string(let text): node.isString(equalTo: text)
        case .integer(let value): node.integer == value
        case .number(let value): node.integer == nil && node.number == value
        case .boolean(let value): node.boolean == value
        case .null: node.isNull
        }
    }
}

extension ClaimValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A number without fraction and exponent.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A number with a fraction or an exponent.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// True or false.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension ClaimValue: CustomStringConvertible {
    /// The value as JSON writes it, for messages.
    public var description: String {
        switch self {
        case .string(let text): "\"\(TokenClaims.printable(text))\""
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .boolean(let value): "\(value)"
        case .null: "null"
        }
    }
}
