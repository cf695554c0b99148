internal import Cryptography
internal import StrictEncoding

/// Which ciphers, functions and members a LUKS2 header may name. What is not listed is refused: the header is not authentic, and whoever
/// writes to the disk could otherwise switch its encryption off (CVE-2025-58356).
enum LUKS2Rules {
    /// The fewest bytes of key.
    static let minimumKeyByteCount = 32
    private static let maximumKeyByteCount = 128
    private static let ciphers: Set<String> = [
        "aes-xts-plain64", "serpent-xts-plain64", "twofish-xts-plain64", "camellia-xts-plain64", "aes-cbc-essiv:sha256",
        "xchacha12,aes-adiantum-plain64", "xchacha20,aes-adiantum-plain64",
    ]

    /// A hash function by the name that cryptsetup gives it; SHA-2 only.
    static func hash(_ name: String) -> HashAlgorithm? {
        switch name {
        case "sha256": .sha256
        case "sha384": .sha384
        case "sha512": .sha512
        default: nil
        }
    }

    /// Requires a cipher that encrypts.
    static func requireCipher(_ node: JSONNode?, _ place: String) throws(LUKS2Error) {
        guard let name = node?.string else { throw .damaged("\(place) names no cipher") }
        guard !name.lowercased().contains("null") else {
            throw .refused("\(place) has the null cipher, which encrypts nothing (\(name.prefix(40)))")
        }
        guard ciphers.contains(name) else {
            throw .refused("\(place) has the cipher \(name.prefix(40).debugDescription), which is not accepted")
        }
    }

    /// Requires a key of at least 256 bits.
    static func requireKeySize(_ node: JSONNode?, _ place: String) throws(LUKS2Error) {
        guard let count = node?.integer, count <= Int64(maximumKeyByteCount) else {
            throw .damaged("\(place) has no key size that can be")
        }
        guard count >= Int64(minimumKeyByteCount) else {
            throw .refused("\(place) has a key of \(count * 8) bits; at least \(minimumKeyByteCount * 8) are accepted")
        }
    }

    /// Requires a hash function of SHA-2.
    static func requireHash(_ node: JSONNode?, _ place: String) throws(LUKS2Error) {
        guard let name = node?.string else { throw .damaged("\(place) names no hash function") }
        guard hash(name) != nil else {
            throw .refused("\(place) has the hash function \(name.prefix(40).debugDescription); SHA-2 is accepted")
        }
    }

    /// Requires an integer in a range.
    static func requireInteger(_ node: JSONNode?, in range: ClosedRange<Int64>, _ place: String) throws(LUKS2Error) {
        guard let value = node?.integer, range.contains(value) else {
            throw .refused("\(place) is not between \(range.lowerBound) and \(range.upperBound)")
        }
    }

    /// Requires an object of these members, and those that may be left out.
    static func requireMembers(
        _ node: JSONNode, _ required: Set<String>, optional: Set<String> = [], _ place: String
    ) throws(LUKS2Error) {
        guard let members = node.members else { throw .damaged("\(place) is no object") }
        let names = Set(members.map(\.name))
        guard required.isSubset(of: names) else {
            throw .damaged("\(place) lacks \(required.subtracting(names).sorted().joined(separator: ", "))")
        }
        if let other = names.subtracting(required).subtracting(optional).min() {
            throw .refused("\(place) has \(other.prefix(40).debugDescription), which is not known here")
        }
    }

    /// A number that is written as a string of digits, as LUKS2 writes those of 64 bits.
    static func number(_ node: JSONNode?, _ place: String) throws(LUKS2Error) -> Int {
        guard let text = node?.string, (1...18).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text)
        else { throw .damaged("\(place) is no number") }
        return number
    }

    /// A list of the names of keyslots, segments or digests: numbers below 32, each once.
    static func slots(_ node: JSONNode?, _ place: String) throws(LUKS2Error) -> Set<Int> {
        guard let elements = node?.elements, elements.count <= 32 else { throw .damaged("\(place) is no list") }
        var slots: Set<Int> = []
        for element in elements {
            guard let slot = element.string.flatMap(slot), slots.insert(slot).inserted else {
                throw .damaged("\(place) is no list of numbers")
            }
        }
        return slots
    }

    /// The number that names a keyslot, a token or a segment.
    static func slot(_ name: String) -> Int? {
        guard let number = Int(name), (0..<32).contains(number), String(number) == name else { return nil }
        return number
    }
}
