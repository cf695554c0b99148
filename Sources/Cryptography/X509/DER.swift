/// The distinguished encoding of ASN.1 (X.690 §10 and §11), as far as certificate requests need it: strict where libcrypto reads BER
/// too, so that whoever reads a request after us reads the same.
public enum DER {
    /// The most elements inside one another.
    static let maximumDepth = 16

    /// One element: identifier, length, content.
    struct Element {
        let tag: UInt8
        let content: ArraySlice<UInt8>
        /// Identifier, length and content.
        let whole: ArraySlice<UInt8>
    }

    /// The tags that are read and written here.
    enum Tag {
        static let boolean: UInt8 = 0x01
        static let integer: UInt8 = 0x02
        static let bitString: UInt8 = 0x03
        static let null: UInt8 = 0x05
        static let objectIdentifier: UInt8 = 0x06
        static let utf8String: UInt8 = 0x0C
        static let sequence: UInt8 = 0x30
        static let set: UInt8 = 0x31
    }

    /// A UTF8String (X.690 §8.23).
    public static func utf8String(_ text: String) -> [UInt8] { element(Tag.utf8String, Array(text.utf8)) }

    /// The bytes of a UTF8String that fills `der` exactly; `nil` for anything else. That they are UTF-8 is not looked at.
    public static func contentOfUTF8String(_ der: [UInt8]) -> [UInt8]? {
        var rest = der[...]
        guard let element = next(&rest), rest.isEmpty, element.tag == Tag.utf8String else { return nil }
        return Array(element.content)
    }

    /// Writes one element, its length in the shortest form.
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        guard content.count >= 0x80 else { return [tag, UInt8(truncatingIfNeeded: content.count)] + content }
        let count = withUnsafeBytes(of: content.count.bigEndian) { Array($0.drop { $0 == 0 }) }
        return [tag, 0x80 | UInt8(truncatingIfNeeded: count.count)] + count + content
    }

    /// Takes one element of at most 65,535 bytes of content from the front: one byte of identifier, and the shortest length.
    static func next(_ rest: inout ArraySlice<UInt8>) -> Element? {
        let start = rest
        guard let tag = rest.popFirst(), tag & 0x1F != 0x1F, let first = rest.popFirst() else { return nil }
        var count = Int(first)
        if first >= 0x80 {
            guard first == 0x81 || first == 0x82, rest.count >= Int(first & 0x7F) else { return nil }
            count = rest.prefix(Int(first & 0x7F)).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(Int(first & 0x7F))
            guard count >= (first == 0x81 ? 0x80 : 0x100) else { return nil }
        }
        guard count <= rest.count else { return nil }
        let content = rest.prefix(count)
        rest = rest.dropFirst(count)
        return Element(tag: tag, content: content, whole: start.prefix(start.count - rest.count))
    }

    /// The elements that fill `content` exactly.
    static func elements(_ content: ArraySlice<UInt8>) -> [Element]? {
        var rest = content
        var elements: [Element] = []
        while !rest.isEmpty {
            guard let element = next(&rest) else { return nil }
            elements.append(element)
        }
        return elements
    }

    /// Whether `bytes` is one element, and it and all inside it are written in the one way that DER allows.
    static func isDistinguished(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        guard let element = next(&rest), rest.isEmpty else { return false }
        return isDistinguished(element, depth: 1)
    }

    private static func isDistinguished(_ element: Element, depth: Int) -> Bool {
        guard depth <= maximumDepth else { return false }
        let isConstructed = element.tag & 0x20 != 0
        if element.tag & 0xC0 == 0 {
            let mustBeConstructed = element.tag == Tag.sequence || element.tag == Tag.set
            guard isConstructed == mustBeConstructed else { return false }
        }
        guard isConstructed else { return isDistinguishedValue(element) }
        guard let elements = elements(element.content),
            elements.allSatisfy({ isDistinguished($0, depth: depth + 1) })
        else { return false }
        // X.690 §11.6: the elements of a set in ascending order.
        return element.tag != Tag.set
            || zip(elements, elements.dropFirst()).allSatisfy { !$1.whole.lexicographicallyPrecedes($0.whole) }
    }

    private static func isDistinguishedValue(_ element: Element) -> Bool {
        let content = element.content
        switch element.tag {
        case Tag.boolean: return content.count == 1 && (content.first == 0 || content.first == 0xFF)
        case Tag.integer:
            guard let first = content.first else { return false }
            guard let second = content.dropFirst().first else { return true }
            return !(first == 0 && second < 0x80) && !(first == 0xFF && second >= 0x80)
        case Tag.bitString:
            guard let unused = content.first, unused <= 7 else { return false }
            guard content.count > 1, let last = content.last else { return unused == 0 }
            return last & ((1 << unused) - 1) == 0
        case Tag.null: return content.isEmpty
        case Tag.objectIdentifier:
            guard let last = content.last, last < 0x80 else { return false }
            var begins = true
            for byte in content {
                if begins, byte == 0x80 { return false }
                begins = byte < 0x80
            }
            return true
        default: return true
        }
    }
}
