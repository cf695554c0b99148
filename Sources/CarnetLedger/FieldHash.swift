internal import Cryptography

/// SHA-256 over fields, each preceded by its length as eight bytes, big-endian, so that no two lists of fields have the same encoding.
struct FieldHash {
    private var digest = IncrementalHash(.sha256)

    init(_ label: String) { add(label) }

    /// Adds bytes; of a field that is not there the length is -1.
    mutating func add(_ bytes: [UInt8]?) {
        let count = bytes.map { Int64($0.count) } ?? -1
        digest.update(withUnsafeBytes(of: count.bigEndian) { Array($0) })
        if let bytes { digest.update(bytes) }
    }

    /// Adds text in UTF-8.
    mutating func add(_ text: String?) { add(text.map { Array($0.utf8) }) }

    mutating func finish() -> [UInt8] { digest.finalize() }
}
