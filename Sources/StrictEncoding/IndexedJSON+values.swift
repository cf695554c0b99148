internal import Glibc

extension IndexedJSON.Scanner {
    /// Reads a number (RFC 8259 §6): one without fraction and exponent must fit into 64 bits, another into a finite Double.
    mutating func number() throws(JSONError) {
        let start = position
        let isNegative = peek == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let digits = position
        var magnitude: UInt64 = 0
        var fits = true
        while let byte = peek, isDigit(byte) {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte & 0x0F))
            if overflow || carry { fits = false }
            magnitude = sum
            position += 1
        }
        guard position > digits else { throw fault("a value is expected") }
        guard text[digits] != UInt8(ascii: "0") || position == digits + 1 else {
            throw fault("a number begins with a superfluous zero")
        }
        guard peek == UInt8(ascii: ".") || peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") else {
            let limit = UInt64(Int64.max) + (isNegative ? 1 : 0)
            guard fits, magnitude <= limit else { throw fault("an integer has more than 64 bits") }
            append(.integer, isNegative ? 0 &- magnitude : magnitude)
            return
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        let spelling = String(decoding: text[start..<position], as: UTF8.self)
        guard let value = Double(spelling), value.isFinite else { throw fault("a number is too large") }
        append(.real, value.bitPattern)
    }

    private func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

    private mutating func skipDigits() throws(JSONError) {
        guard let first = peek, isDigit(first) else { throw fault("a number lacks digits") }
        while let byte = peek, isDigit(byte) { position += 1 }
    }

    /// Refuses an object in which two names are the same bytes once their escapes are read.
    ///
    /// Small objects are compared pair by pair; the names of large ones are sorted first, so that no text makes this quadratic.
    func refuseDuplicates(in place: Int) throws(JSONError) {
        let count = Int(entries[place].content), end = Int(entries[place].next)
        guard count > 1 else { return }
        var duplicate: Int?
        if count <= 16 {
            var later = place + 1
            while later < end, duplicate == nil {
                var earlier = place + 1
                while earlier < later, duplicate == nil {
                    if compare(earlier, later) == 0 { duplicate = later }
                    earlier = Int(entries[earlier + 1].next)
                }
                later = Int(entries[later + 1].next)
            }
        } else {
            var names: [Int] = []
            names.reserveCapacity(count)
            var name = place + 1
            while name < end {
                names.append(name)
                name = Int(entries[name + 1].next)
            }
            names.sort { compare($0, $1) < 0 }
            duplicate = zip(names, names.dropFirst()).first { compare($0, $1) == 0 }?.1
        }
        guard duplicate == nil else {
            throw JSONError(.duplicateMember, byteOffset: position, "a member occurs twice in one object")
        }
    }

    /// Orders two strings, shorter before longer.
    private func compare(_ left: Int, _ right: Int) -> Int {
        let left = entries[left], right = entries[right]
        guard left.byteCount == right.byteCount else { return left.byteCount < right.byteCount ? -1 : 1 }
        guard left.byteCount > 0 else { return 0 }
        return bytes(of: left) { left in bytes(of: right) { Int(memcmp(left, $0, right.byteCount)) } }
    }

    private func bytes<Result>(of entry: IndexedJSON.Entry, _ body: (UnsafeRawPointer) -> Result) -> Result {
        if entry.offset < text.count, let base = text.baseAddress { return body(base + entry.offset) }
        return decoded.withUnsafeBytes { buffer in
            withUnsafePointer(to: UInt8(0)) { empty in
                body((buffer.baseAddress ?? UnsafeRawPointer(empty)) + (entry.offset - text.count))
            }
        }
    }
}
