extension TPM {
    /// Reads big-endian fields from the front of a byte string and never past its end.
    struct Reader {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) { rest = bytes[...] }

        /// How many bytes have not been read.
        var remaining: Int { rest.count }

        mutating func bytes(_ count: Int, _ field: String) throws(ParseError) -> [UInt8] {
            guard count >= 0, count <= rest.count else { throw .truncated(field: field) }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }

        mutating func uint8(_ field: String) throws(ParseError) -> UInt8 {
            guard let byte = rest.popFirst() else { throw .truncated(field: field) }
            return byte
        }

        mutating func uint16(_ field: String) throws(ParseError) -> UInt16 { UInt16(try integer(2, field)) }
        mutating func uint32(_ field: String) throws(ParseError) -> UInt32 { UInt32(try integer(4, field)) }
        mutating func uint64(_ field: String) throws(ParseError) -> UInt64 { try integer(8, field) }

        /// A TPM2B: a 16-bit size and so many bytes, at most `maximum`.
        mutating func sized(_ field: String, maximum: Int) throws(ParseError) -> [UInt8] {
            let count = Int(try uint16(field))
            guard count <= maximum else {
                throw .invalid(field: field, reason: "has \(count) bytes; at most \(maximum) are allowed")
            }
            return try bytes(count, field)
        }

        /// Requires that everything was read.
        func end() throws(ParseError) {
            if !rest.isEmpty { throw .trailingBytes(rest.count) }
        }

        private mutating func integer(_ count: Int, _ field: String) throws(ParseError) -> UInt64 {
            guard rest.count >= count else { throw .truncated(field: field) }
            var value: UInt64 = 0
            for byte in rest.prefix(count) { value = value << 8 | UInt64(byte) }
            rest = rest.dropFirst(count)
            return value
        }
    }
}
