internal import StrictEncoding

extension Sequence<UInt8> {
    /// The bytes as lower-case hexadecimal digits.
    public var hex: String { Hexadecimal.encode(Array(self)) }
}

extension [UInt8] {
    /// The bytes of a vector; white space is passed over, and anything else ends the test.
    public init(hex: String) {
        guard let bytes = Hexadecimal.decode(hex.filter { !$0.isWhitespace }) else {
            preconditionFailure("\(hex) is not hexadecimal")
        }
        self = bytes
    }

    /// The bytes with one bit turned, counted from the lowest of the first byte.
    public func flipping(bit: Int) -> [UInt8] {
        var copy = self
        copy[bit / 8] ^= 1 << UInt8(bit % 8)
        return copy
    }
}
