extension ReferenceSet {
    /// Counts objects, arrays and commas outside of strings, so that a text of countless tiny values is refused before any is made:
    /// each takes a hundred times its three bytes in memory.
    ///
    /// A set has three objects and arrays besides its values, and no value has more than five members.
    static func checkCounts(of bytes: [UInt8]) throws(ReferenceSetError) {
        let maximumOpenCount = 3 + maximumComponentCount + maximumFileCount
        let maximumCommaCount = 5 + 5 * maximumComponentCount + 2 * maximumFileCount
        let (openCount, commaCount) = bytes.withUnsafeBufferPointer { buffer in
            var openCount = 0, commaCount = 0, isInString = false, isEscaped = false
            for byte in buffer {
                if isInString {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        isInString = false
                    }
                    continue
                }
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): openCount += 1
                case UInt8(ascii: ","): commaCount += 1
                default: break
                }
            }
            return (openCount, commaCount)
        }
        guard openCount <= maximumOpenCount, commaCount <= maximumCommaCount else {
            throw .tooLarge("\(max(openCount, commaCount)) values; at most \(maximumOpenCount) may be")
        }
    }
}
