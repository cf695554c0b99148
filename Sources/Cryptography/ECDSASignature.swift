/// The DER spelling of an ECDSA signature (RFC 3279 §2.2.3), which libcrypto wants where JOSE and TPMs carry r and s.
enum ECDSASignature {
    /// SEQUENCE { INTEGER r, INTEGER s } of two big-endian numbers of any length up to 66 bytes.
    static func der(r: some Collection<UInt8>, s: some Collection<UInt8>) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(r.count + s.count + 8)
        appendInteger(r, to: &body)
        appendInteger(s, to: &body)
        var output: [UInt8] = []
        output.reserveCapacity(body.count + 3)
        output.append(0x30)
        if body.count >= 0x80 { output.append(0x81) }
        output.append(UInt8(truncatingIfNeeded: body.count))
        output += body
        return output
    }

    /// r ‖ s, each of `width` bytes; `nil` when `der` is not a signature that libcrypto would write.
    static func fixedWidth(der: some Collection<UInt8>, width: Int) -> [UInt8]? {
        var rest = Array(der)[...]
        guard rest.popFirst() == 0x30, var length = rest.popFirst().map({ Int($0) }) else { return nil }
        if length == 0x81 {
            guard let long = rest.popFirst() else { return nil }
            length = Int(long)
        }
        guard length == rest.count, let r = readInteger(&rest, width), let s = readInteger(&rest, width), rest.isEmpty
        else { return nil }
        return r.leftPadded(to: width) + s.leftPadded(to: width)
    }

    private static func appendInteger(_ number: some Collection<UInt8>, to output: inout [UInt8]) {
        let significant = number.drop { $0 == 0 }
        let needsZero = significant.first.map { $0 >= 0x80 } ?? true
        output.append(0x02)
        output.append(UInt8(truncatingIfNeeded: significant.count + (needsZero ? 1 : 0)))
        if needsZero { output.append(0) }
        output += significant
    }

    private static func readInteger(_ input: inout ArraySlice<UInt8>, _ width: Int) -> [UInt8]? {
        guard input.popFirst() == 0x02, let length = input.popFirst(), length >= 1, Int(length) <= input.count else {
            return nil
        }
        let number = Array(input.prefix(Int(length)).drop { $0 == 0 })
        input = input.dropFirst(Int(length))
        return number.count <= width ? number : nil
    }
}
