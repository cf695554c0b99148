extension IndexedJSON {
    /// The single pass: a cursor over the text, and the list of values that it has met.
    struct Scanner {
        let text: UnsafeRawBufferPointer
        var position = 0
        private(set) var entries: [Entry] = []
        /// The bytes of strings that had escapes; their offsets begin where the text ends.
        var decoded: [UInt8] = []
        /// The places of the objects and arrays that are open.
        private var open: [Int] = []
        private let maximumDepth: Int
        private let maximumValueCount: Int
        /// The outermost value; every other stands behind an opening bracket or a comma.
        private var valueCount = 1

        init(_ text: UnsafeRawBufferPointer, depth: Int, values: Int) {
            self.text = text
            maximumDepth = depth
            maximumValueCount = values
            entries.reserveCapacity(text.count / 12 + 4)
            open.reserveCapacity(min(max(depth, 0), 16))
        }

        /// Reads an object or array, and requires that nothing but white space follows it.
        mutating func readDocument() throws(JSONError) {
            skipSpace()
            guard let first = peek, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
                throw fault("an object or an array is expected")
            }
            try begin(first)
            while let place = open.last {
                skipSpace()
                if entries[place].kind == .object { try member(of: place) } else { try element(of: place) }
            }
            skipSpace()
            guard position == text.count else { throw fault("something follows the value") }
        }

        /// The next byte, if there is one.
        var peek: UInt8? { position < text.count ? text[position] : nil }

        func fault(_ reason: String) -> JSONError { JSONError(.malformed, byteOffset: position, reason) }

        mutating func append(_ kind: Entry.Kind, _ content: UInt64) {
            entries.append(Entry(kind: kind, next: UInt32(truncatingIfNeeded: entries.count + 1), content: content))
        }

        private mutating func begin(_ bracket: UInt8) throws(JSONError) {
            guard open.count < maximumDepth else {
                throw JSONError(
                    .tooDeep, byteOffset: position, "more than \(maximumDepth) arrays and objects inside one another")
            }
            try countValue()
            position += 1
            open.append(entries.count)
            append(bracket == UInt8(ascii: "{") ? .object : .array, 0)
        }

        private mutating func end(_ place: Int) throws(JSONError) {
            position += 1
            entries[place].next = UInt32(truncatingIfNeeded: entries.count)
            open.removeLast()
            if entries[place].kind == .object { try refuseDuplicates(in: place) }
        }

        private mutating func countValue() throws(JSONError) {
            valueCount += 1
            guard valueCount <= maximumValueCount else {
                throw JSONError(.tooLarge, byteOffset: position, "more than \(maximumValueCount) values")
            }
        }

        /// Reads what may stand in an object after its bracket or one of its members: the end, or a comma and a member.
        private mutating func member(of place: Int) throws(JSONError) {
            if entries[place].content > 0 || peek == UInt8(ascii: "}") {
                guard try separator(UInt8(ascii: "}"), place) else { return }
            }
            guard peek == UInt8(ascii: "\"") else { throw fault("a member's name is expected") }
            try string()
            skipSpace()
            guard peek == UInt8(ascii: ":") else { throw fault("a colon is expected") }
            position += 1
            skipSpace()
            entries[place].content += 1
            try value()
        }

        private mutating func element(of place: Int) throws(JSONError) {
            if entries[place].content > 0 || peek == UInt8(ascii: "]") {
                guard try separator(UInt8(ascii: "]"), place) else { return }
            }
            entries[place].content += 1
            try value()
        }

        /// Whether a comma announces another member or element; a closing bracket ends the value at `place`.
        private mutating func separator(_ bracket: UInt8, _ place: Int) throws(JSONError) -> Bool {
            if peek == bracket {
                try end(place)
                return false
            }
            guard peek == UInt8(ascii: ",") else { throw fault("a comma or a closing bracket is expected") }
            try countValue()
            position += 1
            skipSpace()
            return true
        }

        private mutating func value() throws(JSONError) {
            switch peek {
            case UInt8(ascii: "\""): try string()
            case UInt8(ascii: "{"): try begin(UInt8(ascii: "{"))
            case UInt8(ascii: "["): try begin(UInt8(ascii: "["))
            case UInt8(ascii: "t"): try literal("true", .true)
            case UInt8(ascii: "f"): try literal("false", .false)
            case UInt8(ascii: "n"): try literal("null", .null)
            default: try number()
            }
        }

        private mutating func literal(_ word: StaticString, _ kind: Entry.Kind) throws(JSONError) {
            let name = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
            guard text.count - position >= name.count, text[position..<(position + name.count)].elementsEqual(name)
            else { throw fault("a value is expected") }
            position += name.count
            append(kind, 0)
        }

        mutating func skipSpace() {
            while position < text.count {
                switch text[position] {
                case 0x20, 0x09, 0x0A, 0x0D: position += 1
                default: return
                }
            }
        }
    }
}
