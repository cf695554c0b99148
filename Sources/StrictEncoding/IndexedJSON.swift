internal import Glibc

/// A JSON text, read once and strictly in a single pass, as an index over its own bytes.
///
/// It accepts what ``JSONDocument`` accepts, under the same bounds, and reads the same from it: the tests and a fuzz target hold the two
/// against one another. It costs a sixth of that, because it makes no object for each value, so it is for the text that every request
/// brings: the claims of a token. The value is immutable and may be read by many threads at once.
public struct IndexedJSON: Sendable {
    /// The top-level object or array.
    public var root: Node { Node(storage: storage, index: 0) }

    let storage: Storage

    /// Reads the whole of `bytes`.
    ///
    /// - Parameters:
    ///   - maximumByteCount: The longest text to look at; texts beyond 2³¹ - 1 bytes are refused whatever it says.
    ///   - maximumDepth: The most arrays and objects inside one another; 1 is a flat object.
    ///   - maximumValueCount: The most values of all kinds, as ``JSONDocument`` counts them.
    public init(
        parsing bytes: [UInt8], maximumByteCount: Int, maximumDepth: Int = 16, maximumValueCount: Int = 1 << 20
    ) throws(JSONError) {
        guard bytes.count <= min(maximumByteCount, Int(Int32.max)) else {
            throw JSONError(
                .tooLarge, byteOffset: 0, "the text has \(bytes.count) bytes; at most \(maximumByteCount) are read")
        }
        var entries: [Entry] = []
        var decoded: [UInt8] = []
        let fault = bytes.withUnsafeBytes { text -> JSONError? in
            var scanner = Scanner(text, depth: maximumDepth, values: maximumValueCount)
            do throws(JSONError) {
                try scanner.readDocument()
            } catch {
                return error
            }
            entries = scanner.entries
            decoded = scanner.decoded
            return nil
        }
        if let fault { throw fault }
        storage = Storage(bytes: decoded.isEmpty ? bytes : bytes + decoded, entries: entries)
    }

    /// One value, or the name of a member. Those inside an object or array follow it, so that a whole text is one flat list.
    struct Entry {
        enum Kind: UInt8 {
            case object, array, string, integer, real, `true`, `false`, null
        }

        var kind: Kind
        /// The place in the list that follows this value and everything inside it.
        var next: UInt32
        /// A string's offset and length in bytes, an integer, the bits of a real number, or the count of members or elements.
        var content: UInt64

        /// A string's first byte.
        var offset: Int { Int(content >> 32) }
        /// A string's length, in bytes.
        var byteCount: Int { Int(content & 0xFFFF_FFFF) }
    }

    /// The bytes of the text, after them those of strings that had escapes, and the list of values.
    final class Storage: Sendable {
        let bytes: [UInt8]
        let entries: [Entry]

        init(bytes: [UInt8], entries: [Entry]) {
            self.bytes = bytes
            self.entries = entries
        }

        /// Whether the string at `index` is made of `text`.
        func string(at index: Int, equals text: UnsafeBufferPointer<UInt8>) -> Bool {
            entries[index].byteCount == text.count && string(at: index, beginsWith: text)
        }

        /// Whether the string at `index` begins with `text`.
        func string(at index: Int, beginsWith text: UnsafeBufferPointer<UInt8>) -> Bool {
            let entry = entries[index]
            guard entry.byteCount >= text.count else { return false }
            guard let wanted = text.baseAddress, text.count > 0 else { return true }
            return bytes.withUnsafeBytes { bytes in
                let found = UnsafeRawBufferPointer(rebasing: bytes[entry.offset..<(entry.offset + text.count)])
                return found.baseAddress.map { memcmp($0, wanted, text.count) == 0 } ?? false
            }
        }
    }
}
