import CJansson
import Glibc

/// A JSON text, read once and strictly (RFC 8259 by jansson, and less than RFC 8259 allows).
///
/// A member that occurs twice, bytes after the value, a NUL in a string, bad UTF-8, an integer beyond 64 bits, too many
/// bytes and too deep a nesting are errors: no two readers can take such a text for different things. The top level must
/// be an object or an array. The document is immutable and may be read by many threads at once.
public final class JSONDocument: @unchecked Sendable {
    /// The top-level object or array.
    public var root: JSONNode { JSONNode(document: self, pointer: pointer) }

    private let pointer: UnsafeMutablePointer<json_t>

    /// Reads the whole of `bytes`.
    ///
    /// - Parameters:
    ///   - maximumByteCount: The longest text to look at.
    ///   - maximumDepth: The most arrays and objects inside one another; 1 is a flat object.
    ///   - maximumValueCount: The most values of all kinds: each costs twenty times the memory of the two bytes that it can be
    ///     written with.
    public init(
        parsing bytes: [UInt8], maximumByteCount: Int, maximumDepth: Int = 16, maximumValueCount: Int = 1 << 20
    ) throws(JSONError) {
        guard bytes.count <= maximumByteCount else {
            throw JSONError(
                .tooLarge, byteOffset: 0, "the text has \(bytes.count) bytes; at most \(maximumByteCount) are read")
        }
        // jansson 2.14 overlooks a NUL behind a number or a word.
        if let nul = bytes.firstIndex(of: 0) {
            throw JSONError(.malformed, byteOffset: nul, "the text has a NUL")
        }
        try Self.checkStructure(of: bytes, maximumDepth, maximumValueCount)
        var error = json_error_t()
        let parsed = bytes.withUnsafeBytes { buffer in
            json_loadb(buffer.baseAddress, buffer.count, Int(JSON_REJECT_DUPLICATES), &error)
        }
        guard let parsed else { throw Self.describe(&error) }
        pointer = parsed
    }

    deinit { json_decref(pointer) }

    /// Counts brackets and commas outside strings, so that a hostile depth is refused before anything recurses, and a hostile number
    /// of values before anything is allocated for them.
    private static func checkStructure(
        of bytes: [UInt8], _ maximumDepth: Int, _ maximumValueCount: Int
    ) throws(JSONError) {
        let excess = bytes.withUnsafeBufferPointer { buffer -> JSONError? in
            var depth = 0
            var index = 0
            // The outermost one; every other value stands behind an opening bracket or a comma. An empty array counts as two.
            var values = 1
            while index < buffer.count {
                switch buffer[index] {
                case UInt8(ascii: "\""): index = endOfString(in: buffer, from: index + 1)
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    values += 1
                    if depth > maximumDepth {
                        return JSONError(
                            .tooDeep, byteOffset: index,
                            "more than \(maximumDepth) arrays and objects inside one another")
                    }
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                case UInt8(ascii: ","): values += 1
                default: break
                }
                if values > maximumValueCount {
                    return JSONError(.tooLarge, byteOffset: index, "more than \(maximumValueCount) values")
                }
                index += 1
            }
            return nil
        }
        if let excess { throw excess }
    }

    /// The index of the quotation mark that ends the string whose first character is at `start`; the text's end when none does.
    ///
    /// Most of a token is strings, so memchr looks for the mark. One after an odd number of reverse solidi belongs to the string.
    private static func endOfString(in buffer: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        guard let base = buffer.baseAddress else { return buffer.count }
        var search = start
        while search < buffer.count, let found = memchr(base + search, 0x22, buffer.count - search) {
            let mark = UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
            let solidi = buffer[start..<mark].reversed().prefix { $0 == UInt8(ascii: "\\") }.count
            if solidi % 2 == 0 { return mark }
            search = mark + 1
        }
        return buffer.count
    }

    private static func describe(_ error: inout json_error_t) -> JSONError {
        let (text, number) = withUnsafeBytes(of: &error.text) { buffer in
            (String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self), buffer.last ?? 0)
        }
        let isDuplicate = CInt(number) == CInt(json_error_duplicate_key.rawValue)
        return JSONError(isDuplicate ? .duplicateMember : .malformed, byteOffset: Int(error.position), text)
    }
}
