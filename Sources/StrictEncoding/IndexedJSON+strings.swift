extension IndexedJSON.Scanner {
    /// Reads a string, whose quotation mark is next, into the list.
    mutating func string() throws(JSONError) {
        position += 1
        let start = position
        try skipPlain()
        if peek == UInt8(ascii: "\"") {
            append(.string, UInt64(start) << 32 | UInt64(position - start))
            position += 1
            return
        }
        let offset = decoded.count
        decoded += text[start..<position]
        while let byte = peek, byte != UInt8(ascii: "\"") {
            guard byte == UInt8(ascii: "\\") else { throw fault("a string has a control character") }
            position += 1
            try escape()
            let resumed = position
            try skipPlain()
            decoded += text[resumed..<position]
        }
        guard position < text.count else { throw fault("a string does not end") }
        position += 1
        append(.string, UInt64(text.count + offset) << 32 | UInt64(decoded.count - offset))
    }

    /// Moves over characters that stand for themselves, to a quotation mark, a reverse solidus, a control character or the end.
    private mutating func skipPlain() throws(JSONError) {
        while true {
            // Eight bytes at a time: the lowest flag that is raised is exact, those above it may not be.
            while position + 8 <= text.count {
                let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                let flags =
                    Self.zeroFlags(word ^ Self.marks) | Self.zeroFlags(word ^ Self.solidi)
                    | ((word &- Self.spaces) & ~word & Self.highBits) | (word & Self.highBits)
                if flags != 0 {
                    position += flags.trailingZeroBitCount / 8
                    break
                }
                position += 8
            }
            while position < text.count, Self.isPlain(text[position]) { position += 1 }
            guard position < text.count, text[position] >= 0x80 else { return }
            try skipCharacter()
        }
    }

    private static var marks: UInt64 { 0x2222_2222_2222_2222 }
    private static var solidi: UInt64 { 0x5C5C_5C5C_5C5C_5C5C }
    private static var spaces: UInt64 { 0x2020_2020_2020_2020 }
    private static var highBits: UInt64 { 0x8080_8080_8080_8080 }

    private static func zeroFlags(_ word: UInt64) -> UInt64 { (word &- 0x0101_0101_0101_0101) & ~word & highBits }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// Moves over one character of two to four bytes (RFC 3629 §4: shortest form, no surrogate, at most U+10FFFF).
    private mutating func skipCharacter() throws(JSONError) {
        let first = text[position]
        let count: Int
        var scalar: UInt32
        switch first {
        case 0xC2...0xDF: (count, scalar) = (2, UInt32(first & 0x1F))
        case 0xE0...0xEF: (count, scalar) = (3, UInt32(first & 0x0F))
        case 0xF0...0xF4: (count, scalar) = (4, UInt32(first & 0x07))
        default: throw fault("a string is not UTF-8")
        }
        guard text.count - position >= count else { throw fault("a string is not UTF-8") }
        for byte in text[(position + 1)..<(position + count)] {
            guard byte & 0xC0 == 0x80 else { throw fault("a string is not UTF-8") }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        let least: UInt32 = count == 2 ? 0x80 : count == 3 ? 0x800 : 0x10000
        guard scalar >= least, Unicode.Scalar(scalar) != nil else { throw fault("a string is not UTF-8") }
        position += count
    }

    /// Reads what follows a reverse solidus (RFC 8259 §7). A NUL is refused, and so is a surrogate without its other half.
    private mutating func escape() throws(JSONError) {
        guard let letter = peek else { throw fault("a string does not end") }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(letter)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"):
            var unit = try codeUnit()
            if 0xD800...0xDBFF ~= unit {
                guard peek == UInt8(ascii: "\\"), position + 1 < text.count, text[position + 1] == UInt8(ascii: "u")
                else { throw fault("a surrogate stands alone") }
                position += 2
                let low = try codeUnit()
                guard 0xDC00...0xDFFF ~= low else { throw fault("a surrogate stands alone") }
                unit = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard unit != 0, let scalar = Unicode.Scalar(unit) else { throw fault("a string has a NUL or a surrogate") }
            decoded += scalar.utf8
        default: throw fault("a string has an unknown escape")
        }
    }

    /// Four hexadecimal digits.
    private mutating func codeUnit() throws(JSONError) -> UInt32 {
        guard text.count - position >= 4 else { throw fault("a string does not end") }
        var unit: UInt32 = 0
        for digit in text[position..<(position + 4)] {
            guard let value = Hexadecimal.value(digit) else { throw fault("\\u is not followed by four digits") }
            unit = unit << 4 | UInt32(value)
        }
        position += 4
        return unit
    }
}
