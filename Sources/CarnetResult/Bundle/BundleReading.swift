internal import StrictEncoding

/// Reads members that must be there, and refuses those that nobody knows: a bundle is written by this package, so nothing is skipped.
struct BundleReading {
    let node: JSONNode
    /// What the object is, for messages.
    let what: String

    init(_ node: JSONNode?, _ what: String, members: Set<String>) throws(BundleError) {
        guard let node, let found = node.members else { throw BundleError(.content, "\(what) is not an object") }
        guard found.allSatisfy({ members.contains($0.name) }) else {
            throw BundleError(.content, "\(what) has a member that is not known")
        }
        self.node = node
        self.what = what
    }

    /// 1 to 1024 visible characters of ASCII, so that two are equal only when their bytes are.
    func name(_ member: String) throws(BundleError) -> String {
        guard let text = node[member]?.string, StatusReference.isName(text) else {
            throw BundleError(.content, "\(member) of \(what) is not 1 to 1024 visible characters of ASCII")
        }
        return text
    }

    /// A whole number in a range.
    func integer(_ member: String, _ range: ClosedRange<Int64>) throws(BundleError) -> Int64 {
        guard let value = node[member]?.integer, range.contains(value) else {
            throw BundleError(
                .content, "\(member) of \(what) is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// An array of at most `maximum` elements.
    func elements(_ member: String, upTo maximum: Int) throws(BundleError) -> [JSONNode] {
        guard let elements = node[member]?.elements else {
            throw BundleError(.content, "\(member) of \(what) is not an array")
        }
        guard elements.count <= maximum else {
            throw BundleError(
                .tooLarge, "\(member) of \(what) has \(elements.count) elements; at most \(maximum) are read")
        }
        return elements
    }

    /// An array of different texts that have a shape.
    func texts(
        _ member: String, upTo maximum: Int, where isFit: (String) -> Bool
    ) throws(BundleError) -> [String] {
        var texts: [String] = []
        for element in try elements(member, upTo: maximum) {
            guard let text = element.string, isFit(text), !texts.contains(text) else {
                throw BundleError(.content, "\(member) of \(what) has an element that is not usable, or one twice")
            }
            texts.append(text)
        }
        return texts
    }
}
