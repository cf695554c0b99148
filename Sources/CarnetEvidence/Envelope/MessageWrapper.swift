internal import StrictEncoding

/// Opens a conceptual message wrapper (CMW, RFC 9999) in JSON that holds evidence.
///
/// A record is `[media type, base64url value, indicator?]`. A collection is an object of labels and wrappers, possibly with the type of the
/// collection under `__cmwc_t`. Labels and the collection's type are names that somebody chose: they say nothing here, and of the wrappers
/// in a collection there has to be exactly one, so that none goes unseen.
enum MessageWrapper {
    /// The bit of the indicator that says "evidence".
    private static let evidenceBit: Int64 = 4
    private static let collectionType = "__cmwc_t"

    /// Whether a value is written like a wrapper. An envelope is not: it has strings as members.
    static func isWrapper(_ node: JSONNode) -> Bool {
        guard let members = node.members else { return node.isArray }
        return !members.isEmpty
            && members.allSatisfy { $0.name == collectionType || $0.value.isArray || $0.value.isObject }
    }

    /// The value of the only record.
    ///
    /// The depth to which collections hold one another is what the JSON reader allows.
    static func evidence(in node: JSONNode, _ path: String) throws(EvidenceError) -> [UInt8] {
        if let elements = node.elements { return try value(of: elements, path) }
        guard let members = node.members else { throw EvidenceError(path, "is \(node.kind), not a CMW") }
        if let type = node[collectionType] {
            guard let text = type.string, isCollectionType(text) else {
                throw EvidenceError(member(collectionType, path), "is neither an absolute URI nor an object identifier")
            }
        }
        let wrappers = members.filter { $0.name != collectionType }
        guard let (label, wrapper) = wrappers.first, wrappers.count == 1 else {
            throw EvidenceError(path, "a CMW collection has to have exactly one member here, not \(wrappers.count)")
        }
        guard !label.isEmpty, !label.hasPrefix("__") else {
            throw EvidenceError(path, "the label of a CMW collection is empty or reserved")
        }
        return try evidence(in: wrapper, member(MemberReader.shown(label), path))
    }

    private static func member(_ name: String, _ path: String) -> String { path.isEmpty ? name : path + "." + name }

    private static func value(of elements: [JSONNode], _ path: String) throws(EvidenceError) -> [UInt8] {
        guard elements.count == 2 || elements.count == 3 else {
            throw EvidenceError(path, "a CMW record has two or three elements, not \(elements.count)")
        }
        guard elements[0].string == Evidence.mediaType else {
            throw EvidenceError(path + "[0]", "is not \(Evidence.mediaType)")
        }
        if elements.count == 3 {
            guard let indicator = elements[2].integer, (1...0xFFFF_FFFF).contains(indicator),
                indicator & evidenceBit != 0
            else { throw EvidenceError(path + "[2]", "does not indicate evidence") }
        }
        return try MemberReader.bytes(elements[1], path + "[1]", maximum: Evidence.maximumByteCount)
    }

    /// Whether a text is written like an absolute URI or an object identifier with dots.
    private static func isCollectionType(_ text: String) -> Bool {
        guard (3...255).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return false
        }
        let arcs = text.split(separator: ".", omittingEmptySubsequences: false)
        if arcs.count > 1, arcs.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) {
            return true
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, let first = parts[0].utf8.first, isLetter(first) else {
            return false
        }
        return parts[0].utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
}
