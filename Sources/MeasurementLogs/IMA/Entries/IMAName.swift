/// The name in an entry: a file's path as the kernel saw it, or what a buffer is called.
///
/// A path is a hint, even where a digest covers it: mounts, namespaces and memory files make what they like of it.
public struct IMAName: Sendable, Hashable, CustomStringConvertible {
    /// The bytes, without a terminating zero. No encoding is promised.
    public let bytes: ArraySlice<UInt8>

    /// In quotation marks, at most 120 characters, what a terminal would obey replaced.
    public var description: String { Event.printable(String(decoding: bytes, as: UTF8.self)) }

    /// Whether the name is exactly this text.
    public func matches(_ text: String) -> Bool { bytes.elementsEqual(text.utf8) }

    init(bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// A field `n-ng`: at least one byte, then the only zero; `nil` for anything else.
    init?(field: ArraySlice<UInt8>) {
        guard field.count > 1, field.firstIndex(of: 0) == field.endIndex - 1 else { return nil }
        bytes = field.dropLast()
    }
}
