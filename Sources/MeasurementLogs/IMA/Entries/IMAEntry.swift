internal import Cryptography

/// One entry of a list: a view that copies nothing.
public struct IMAEntry: Sendable {
    /// Its number, counted from the boot's first entry.
    public var index: Int { list.firstIndex + position }
    /// Its place in the bytes of its list, from 0.
    public let position: Int
    private let list: IMAList
    private let layout: Layout

    /// Where the parts of an entry stand in a list's bytes.
    struct Layout {
        let start: Int
        let isLegacy: Bool
        /// The template data without the length in front of it.
        let data: Range<Int>
    }

    init(position: Int, list: IMAList) {
        self.position = position
        self.list = list
        layout = Self.layout(list.bytes, Int(list.starts[position]))
    }

    /// The PCR that the list says was extended, 0 to 23. No digest covers it: a replay of that PCR shows whether it is true.
    public var pcr: Int { Self.uint32(list.bytes, layout.start) }

    /// The SHA-1 digest, 20 bytes, that the list states for the template data. Zeros mark a violation.
    public var statedDigest: ArraySlice<UInt8> { list.bytes[(layout.start + 4)..<(layout.start + 24)] }

    /// Whether the kernel extended the PCR with ones: it saw a file change while it was measured, and knows no digest.
    public var isViolation: Bool { Self.isViolation(list.bytes, layout.start) }

    /// What the list calls the template. No digest covers it; only whether it is `ima` changes what is hashed.
    public var untrustedTemplateName: String {
        let start = layout.start + 28
        return String(
            decoding: list.bytes[start..<(start + Self.uint32(list.bytes, layout.start + 24))], as: UTF8.self)
    }

    /// Whether the list calls the template `ima`, which has a layout and a hash rule of its own.
    public var isLegacy: Bool { layout.isLegacy }

    /// The template data as it stands in the list.
    public var templateData: ArraySlice<UInt8> { list.bytes[layout.data] }

    /// The bytes that the kernel hashes: the template data; for the template `ima`, the digest and the name padded to 256 bytes.
    public var hashedData: [UInt8] {
        guard layout.isLegacy else { return Array(templateData) }
        var data = Array(templateData.prefix(20)) + templateData.dropFirst(24)
        data += [UInt8](repeating: 0, count: Self.legacyHashedByteCount - data.count)
        return data
    }

    /// Whether ``statedDigest`` is the SHA-1 digest of ``hashedData``, or marks a violation.
    public var statesTrueDigest: Bool {
        isViolation || HashAlgorithm.insecureSHA1.hash(hashedData).elementsEqual(statedDigest)
    }

    /// A digest of 20 bytes, and a name padded to 256.
    static let legacyHashedByteCount = 20 + IMAList.maximumLegacyNameByteCount + 1

    /// Where an entry that was parsed before has its parts.
    static func layout(_ bytes: [UInt8], _ start: Int) -> Layout {
        let name = (start + 28)..<(start + 28 + uint32(bytes, start + 24))
        if isLegacy(bytes, name) {
            let end = name.upperBound + 24 + uint32(bytes, name.upperBound + 20)
            return Layout(start: start, isLegacy: true, data: name.upperBound..<end)
        }
        let data = name.upperBound + 4
        return Layout(start: start, isLegacy: false, data: data..<(data + uint32(bytes, name.upperBound)))
    }

    static func isLegacy(_ bytes: [UInt8], _ name: Range<Int>) -> Bool {
        let start = name.lowerBound
        return name.count == 3 && bytes[start] == 0x69 && bytes[start + 1] == 0x6D && bytes[start + 2] == 0x61
    }

    static func isViolation(_ bytes: [UInt8], _ start: Int) -> Bool {
        for position in (start + 4)..<(start + 24) where bytes[position] != 0 { return false }
        return true
    }

    static func uint32(_ bytes: [UInt8], _ start: Int) -> Int {
        Int(bytes[start]) | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2]) << 16 | Int(bytes[start + 3]) << 24
    }
}
